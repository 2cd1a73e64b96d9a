package io.lb4j.schedule;

/**
 * Ranks candidates row by row for a {@link RendezvousTable}. Owned by the control thread. The logarithm is computed for
 * few of them only: -ln(u) is at least 1 - u, and who is behind the first two even so needs no exact score.
 */
final class RendezvousRows {
  private static final double UNIT = 0x1p-52;

  /** Keeps the bound below the score when both are rounded. */
  private static final double SAFELY_BELOW = 1 - 0x1p-50;

  private final int[] order;
  private final long[] key;
  private final double[] weight;
  private int first;
  private int second;
  private double firstScore;
  private double secondScore;
  private long firstDraw;
  private long secondDraw;

  RendezvousRows(Roster roster, long seed) {
    int[] weights = roster.weights();
    byte[][] keys = roster.keys();
    this.order = roster.byIdentity();
    this.key = new long[order.length];
    this.weight = new double[order.length];
    for (int rank = 0; rank < order.length; rank++) {
      key[rank] = XxHash64.hash(keys[order[rank]], seed);
      weight[rank] = weights[order[rank]];
    }
  }

  /** Finds the first two of a row. */
  void rank(int row) {
    firstScore = Double.POSITIVE_INFINITY;
    secondScore = Double.POSITIVE_INFINITY;
    first = 0;
    second = 0;
    long step = (row + 1L) * SplitMix64.GAMMA;
    for (int rank = 0; rank < key.length; rank++) {
      long draw = SplitMix64.mix(key[rank] + step);
      double u = ((draw >>> 12) + 0.5) * UNIT;
      if ((1 - u) * SAFELY_BELOW <= secondScore * weight[rank]) {
        place(rank, draw, -StrictMath.log(u) / weight[rank]);
      }
    }
  }

  private void place(int rank, long draw, double score) {
    if (isBetter(score, draw, firstScore, firstDraw)) {
      second = first;
      secondScore = firstScore;
      secondDraw = firstDraw;
      first = rank;
      firstScore = score;
      firstDraw = draw;
    } else if (isBetter(score, draw, secondScore, secondDraw)) {
      second = rank;
      secondScore = score;
      secondDraw = draw;
    }
  }

  /** Candidates come in the order of their identities, so of equal ones the earlier stays. */
  private static boolean isBetter(double score, long draw, double than, long thanDraw) {
    return score < than || score == than && Long.compareUnsigned(draw, thanDraw) > 0;
  }

  int first() {
    return order[first];
  }

  int second() {
    return order[second];
  }
}

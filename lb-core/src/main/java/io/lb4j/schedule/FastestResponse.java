package io.lb4j.schedule;

import java.util.List;

/**
 * Fastest response: smooth weighted round robin with weights that follow the servers' smoothed response times. A server
 * that takes k times as long as the fastest one has its weight divided by k², and by {@value #MOST_TIMES_SLOWER}² at
 * most: so few flows are spared to see that it has recovered. One whose time is not known counts with the mean of the
 * others; while no time is known, the declared weights decide. Immutable, shared.
 *
 * <p>The square is what moves load off a slow server when there are only two: divided by k, the tenfold time would
 * still get a tenth of the flows.
 */
record FastestResponse() implements Scheduler {
  /** A server this many times slower than the fastest, or more, keeps the square's reciprocal of its share. */
  static final int MOST_TIMES_SLOWER = 8;

  @Override
  public String name() {
    return "fastest";
  }

  @Override
  public boolean usesResponseTimes() {
    return true;
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    Roster roster = new Roster(candidates);
    return new Turns(roster, roster.weights());
  }

  private record Turns(Roster roster, int[] weights) implements Schedule {
    @Override
    public Picker newPicker(Picker previous) {
      ByResponse picker = new ByResponse(roster, weights);
      if (previous instanceof ByResponse former) {
        picker.goOn(former);
      }
      return picker;
    }
  }

  /**
   * Owned by one worker; the weights are shared and never written. Each turn everyone is owed its share and who is owed
   * most is picked and pays for all (the order of nginx's {@code ngx_http_upstream_round_robin.c}). Shares are computed
   * anew every few picks, and then only if a response time has changed.
   */
  private static final class ByResponse implements Picker {
    private static final int PICKS_PER_LOOK = 16;
    private static final double WHOLE = 1 << 20;
    private static final double SLOWEST = 1.0 / MOST_TIMES_SLOWER;

    private final Roster roster;
    private final int[] weights;
    private final long[] seenNs; // response times that the shares were computed from; 0: not known
    private final long[] share;
    private final long[] owed;
    private long total;
    private int picksLeft;

    ByResponse(Roster roster, int[] weights) {
      this.roster = roster;
      this.weights = weights;
      this.seenNs = new long[weights.length];
      this.share = new long[weights.length];
      this.owed = new long[weights.length];
      weigh();
    }

    /** What was owed is owed still, as a part of what all get together. */
    void goOn(ByResponse former) {
      picksLeft = roster.sameAs(former.roster) ? former.picksLeft : 0;
      for (int i = 0; i < owed.length; i++) {
        int before = former.roster.find(roster.identity(i));
        if (before >= 0) {
          seenNs[i] = former.seenNs[before];
          owed[i] = former.owed[before];
        }
      }
      total = former.total;
      weigh();
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      if (--picksLeft < 0) {
        picksLeft = PICKS_PER_LOOK - 1;
        look(active);
      }
      long[] due = owed;
      long[] part = share;
      int picked = 0;
      long most = Long.MIN_VALUE;
      for (int i = 0; i < part.length; i++) {
        long sum = due[i] + part[i];
        due[i] = sum;
        if (sum > most) {
          most = sum;
          picked = i;
        }
      }
      due[picked] -= total;
      return picked;
    }

    private void look(ActiveFlows active) {
      boolean changed = false;
      for (int i = 0; i < seenNs.length; i++) {
        long now = active.responseNs(i);
        changed |= now != seenNs[i];
        seenNs[i] = now;
      }
      if (changed) {
        weigh();
      }
    }

    private void weigh() {
      double fastestNs = Double.MAX_VALUE;
      double sumNs = 0;
      int known = 0;
      for (long timeNs : seenNs) {
        if (timeNs > 0) {
          fastestNs = Math.min(fastestNs, timeNs);
          sumNs += timeNs;
          known++;
        }
      }
      long before = total;
      total = 0;
      for (int i = 0; i < share.length; i++) {
        double timeNs = seenNs[i] > 0 ? seenNs[i] : sumNs / known;
        double speed = known == 0 ? 1 : Math.max(SLOWEST, fastestNs / timeNs);
        share[i] = (long) (WHOLE * weights[i] * speed * speed);
        total += share[i];
      }
      if (before != 0 && before != total) {
        rescale((double) total / before);
      }
    }

    private void rescale(double factor) {
      for (int i = 0; i < owed.length; i++) {
        owed[i] = (long) (owed[i] * factor);
      }
    }
  }
}

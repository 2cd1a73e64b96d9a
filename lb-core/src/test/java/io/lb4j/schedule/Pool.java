package io.lb4j.schedule;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** Candidates for tests; server i is {@code 10.<i div 256>.<i mod 256>.1:80}, as in the reference programs. */
final class Pool {
  static final ActiveFlows IDLE = candidate -> 0;

  private Pool() {}

  static List<Candidate> equal(int size) {
    return weighted(size, i -> 1);
  }

  static List<Candidate> weighted(int size, IntUnaryOperator weight) {
    return IntStream.range(0, size)
        .mapToObj(i -> new Candidate("10." + i / 256 + "." + i % 256 + ".1:80", weight.applyAsInt(i)))
        .toList();
  }

  static List<Candidate> ofWeights(int... weights) {
    return weighted(weights.length, i -> weights[i]);
  }

  static List<Candidate> shuffled(List<Candidate> candidates, long seed) {
    List<Candidate> copy = new ArrayList<>(candidates);
    Collections.shuffle(copy, new Random(seed));
    return copy;
  }

  static List<Candidate> without(List<Candidate> candidates, int removed) {
    List<Candidate> copy = new ArrayList<>(candidates);
    copy.remove(removed);
    return copy;
  }

  static int[] picks(Picker picker, int count) {
    return IntStream.range(0, count).map(i -> picker.pick(0, IDLE)).toArray();
  }

  static int[] counts(int[] picks, int size) {
    int[] counts = new int[size];
    for (int picked : picks) {
      counts[picked]++;
    }
    return counts;
  }
}

package io.lb4j.schedule;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The candidates of one schedule, found by position and by identity. Immutable, shared. */
final class Roster {
  private final List<Candidate> candidates;
  private final Map<String, Integer> positions;

  Roster(List<Candidate> candidates) {
    if (candidates.isEmpty()) {
      throw new IllegalArgumentException("a schedule needs at least one candidate");
    }
    this.candidates = List.copyOf(candidates);
    this.positions = new HashMap<>();
    for (int i = 0; i < candidates.size(); i++) {
      positions.putIfAbsent(candidates.get(i).identity(), i);
    }
  }

  int size() {
    return candidates.size();
  }

  String identity(int candidate) {
    return candidates.get(candidate).identity();
  }

  /** The position of an identity; -1 when it is not there. */
  int find(String identity) {
    return positions.getOrDefault(identity, -1);
  }

  int[] weights() {
    return candidates.stream().mapToInt(Candidate::weight).toArray();
  }

  boolean sameAs(Roster other) {
    return this == other || candidates.equals(other.candidates);
  }

  /** Where a rotation goes on that would have taken {@code next} of the former roster: it or its first survivor. */
  int resume(Roster former, int next) {
    for (int step = 0; step < former.size(); step++) {
      Integer position = positions.get(former.identity((next + step) % former.size()));
      if (position != null) {
        return position;
      }
    }
    return 0;
  }

  /** Positions in the order of the identities' UTF-8 bytes, unsigned; the same for every order of declaration. */
  int[] byIdentity() {
    byte[][] keys = keys();
    return IntStream.range(0, keys.length)
        .boxed()
        .sorted((a, b) -> compare(keys, a, b))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** Each identity's UTF-8 bytes. */
  byte[][] keys() {
    return candidates.stream()
        .map(candidate -> candidate.identity().getBytes(StandardCharsets.UTF_8))
        .toArray(byte[][]::new);
  }

  private int compare(byte[][] keys, int a, int b) {
    int order = Arrays.compareUnsigned(keys[a], keys[b]);
    return order != 0 ? order : Integer.compare(candidates.get(a).weight(), candidates.get(b).weight());
  }
}

package io.lb4j.examples.config;

import io.lb4j.settings.ConfigurationError;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The keys of one kind of mapping: those that are read, and those refused because the version lacks the feature. */
final class Keys {
  private final List<String> known;
  private final Map<String, Refusal> refused;

  /**
   * Why a key is refused. Immutable.
   *
   * @param error the rule it breaks
   * @param reason in words
   */
  record Refusal(ConfigurationError error, String reason) {}

  private Keys(List<String> known, Map<String, Refusal> refused) {
    this.known = known;
    this.refused = refused;
  }

  static Keys of(String... known) {
    return new Keys(List.of(known), Map.of());
  }

  /** The same with more keys that are read. */
  Keys and(List<String> more) {
    return new Keys(Stream.concat(known.stream(), more.stream()).toList(), refused);
  }

  /** The same with keys that are understood and refused; each with its reason. */
  Keys refusing(String reason, String... names) {
    return refusing(ConfigurationError.NOT_SUPPORTED, reason, names);
  }

  /** The same with keys that break a rule of their own. */
  Keys refusing(ConfigurationError error, String reason, String... names) {
    Map<String, Refusal> all = new LinkedHashMap<>(refused);
    Stream.of(names).forEach(name -> all.put(name, new Refusal(error, reason)));
    return new Keys(known, all);
  }

  /** The keys that are read. */
  List<String> known() {
    return known;
  }

  boolean knows(String key) {
    return known.contains(key);
  }

  Optional<Refusal> refusal(String key) {
    return Optional.ofNullable(refused.get(key));
  }

  /** What to do about a key that is unknown. */
  String remedyFor(String key) {
    return known.stream()
        .filter(name -> key.length() <= 2 * name.length() + 2) // beyond that none is near, and a key may be long
        .min(Comparator.comparingInt(name -> distance(key, name)))
        .filter(name -> distance(key, name) <= Math.max(2, name.length() / 2))
        .map(name -> "did you mean '" + name + "'?")
        .orElse("known here: " + String.join(", ", known));
  }

  /** Levenshtein's distance, with one row. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}

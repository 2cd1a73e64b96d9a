package io.lb4j.benchmarks.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What the lab measured: lines of JSON, each an object of words and numbers. Immutable. */
final class LabLines {
  private static final JsonFactory JSON = new JsonFactory();

  private final List<Map<String, String>> lines = new ArrayList<>();

  /** Reads lines; a last one that was cut off is left out. */
  LabLines(List<String> texts) throws IOException {
    for (String text : texts) {
      if (text.endsWith("}")) {
        lines.add(line(text));
      }
    }
  }

  private static Map<String, String> line(String text) throws IOException {
    Map<String, String> line = new LinkedHashMap<>();
    try (JsonParser parser = JSON.createParser(text)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        line.put(name, parser.getText());
      }
    }
    return line;
  }

  /** Every subject of a table, in the order of measurement; where is a topology, or empty. */
  List<String> subjects(String table, String where) {
    return lines.stream()
        .filter(line -> line.get("table").equals(table) && line.getOrDefault("topology", "").equals(where))
        .map(line -> line.get("subject"))
        .distinct()
        .toList();
  }

  /**
   * A figure of every round.
   *
   * @param figure the field's name
   * @param words names and values that lines have, one after the other
   * @return by round; empty when it was not measured
   */
  Map<Integer, Double> rounds(String figure, String... words) {
    Map<Integer, Double> rounds = new TreeMap<>();
    for (Map<String, String> line : lines) {
      if (line.containsKey(figure) && has(line, words)) {
        rounds.put(Integer.valueOf(line.get("round")), Double.valueOf(line.get(figure)));
      }
    }
    return rounds;
  }

  private static boolean has(Map<String, String> line, String... words) {
    for (int i = 0; i < words.length; i += 2) {
      if (!words[i + 1].equals(line.get(words[i]))) {
        return false;
      }
    }
    return true;
  }

  /** One by the other, of the rounds that have both. */
  static Spread ratio(Map<Integer, Double> of, Map<Integer, Double> by) {
    TreeSet<Integer> both = new TreeSet<>(of.keySet());
    both.retainAll(by.keySet());
    return new Spread(both.stream().map(round -> of.get(round) / by.get(round)).toList());
  }
}

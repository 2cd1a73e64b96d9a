package io.lb4j.benchmarks.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads the files that JMH writes with {@code -rf json}. Stateless. */
final class JmhFile {
  private static final JsonFactory JSON = new JsonFactory();

  private JmhFile() {}

  /** Reads all files of a directory whose names are {@code ROUND-NUMBER.json}. */
  static List<Run> readAll(Path directory) throws IOException {
    List<Run> runs = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      files
          .filter(file -> file.getFileName().toString().matches("\\d+-\\d+\\.json"))
          .sorted()
          .forEach(file -> runs.addAll(readUnchecked(file)));
    }
    return runs;
  }

  private static List<Run> readUnchecked(Path file) {
    String name = file.getFileName().toString();
    try {
      return read(Integer.parseInt(name.substring(0, name.indexOf('-'))), Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": " + e.getMessage(), e);
    }
  }

  /** Reads what JMH wrote in one run; nothing where it was ended before. */
  static List<Run> read(int round, String text) throws IOException {
    List<Run> runs = new ArrayList<>();
    if (text.isBlank()) {
      return runs;
    }
    try (JsonParser parser = JSON.createParser(text)) {
      parser.nextToken();
      for (Object result : (List<?>) value(parser)) {
        runs.add(run(round, (Map<?, ?>) result));
      }
    }
    return runs;
  }

  private static Run run(int round, Map<?, ?> result) {
    String benchmark = (String) result.get("benchmark");
    int method = benchmark.lastIndexOf('.');
    int group = benchmark.lastIndexOf('.', method - 1);
    Map<String, String> params = new TreeMap<>();
    if (result.get("params") instanceof Map<?, ?> given) {
      given.forEach((name, value) -> params.put((String) name, (String) value));
    }
    Map<String, List<Double>> secondary = new TreeMap<>();
    if (result.get("secondaryMetrics") instanceof Map<?, ?> given) {
      given.forEach((name, metric) -> secondary.put((String) name, values((Map<?, ?>) metric)));
    }
    return new Run(
        round,
        benchmark.substring(group + 1, method),
        benchmark.substring(method + 1),
        params,
        "thrpt".equals(result.get("mode")),
        values((Map<?, ?>) result.get("primaryMetric")),
        secondary);
  }

  private static List<Double> values(Map<?, ?> metric) {
    List<Double> values = new ArrayList<>();
    for (Object fork : metric.get("rawData") instanceof List<?> forks ? forks : List.of()) {
      for (Object value : (List<?>) fork) {
        if (value instanceof Double number && !number.isNaN()) {
          values.add(number);
        }
      }
    }
    return values;
  }

  /** What begins at the present token: numbers as Double, objects as maps, arrays as lists, all else as text. */
  private static Object value(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == JsonToken.START_OBJECT) {
      Map<String, Object> object = new LinkedHashMap<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        parser.nextToken();
        object.put(name, value(parser));
      }
      return object;
    }
    if (token == JsonToken.START_ARRAY) {
      List<Object> array = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        array.add(value(parser));
      }
      return array;
    }
    return token.isNumeric() ? (Object) parser.getDoubleValue() : parser.getText();
  }
}

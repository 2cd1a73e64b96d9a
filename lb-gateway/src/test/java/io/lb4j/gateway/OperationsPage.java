package io.lb4j.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tables of {@code docs/operations.md}, so that the page and the code cannot part. */
final class OperationsPage {
  private static final Path PAGE = Path.of("../docs/operations.md");

  private OperationsPage() {}

  /** The first table under a heading: a map from column to cell for each row. */
  static List<Map<String, String>> table(String heading) {
    List<Map<String, String>> rows = new ArrayList<>();
    List<String> columns = List.of();
    boolean under = false;
    for (String line : lines()) {
      if (line.startsWith("## ")) {
        under = line.equals("## " + heading);
      } else if (under && line.startsWith("|") && !line.startsWith("| ---")) {
        List<String> cells = cells(line);
        if (columns.isEmpty()) {
          columns = cells;
        } else {
          rows.add(row(columns, cells));
        }
      } else if (under && !rows.isEmpty() && !line.startsWith("|")) {
        break;
      }
    }
    if (rows.isEmpty()) {
      throw new AssertionError("no table under '" + heading + "' in " + PAGE);
    }
    return rows;
  }

  private static List<String> lines() {
    try {
      return Files.readAllLines(PAGE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> cells(String line) {
    String inner = line.substring(1, line.length() - 1);
    return Arrays.stream(inner.split("\\|", -1)).map(String::strip).toList();
  }

  private static Map<String, String> row(List<String> columns, List<String> cells) {
    Map<String, String> row = new LinkedHashMap<>();
    for (int i = 0; i < columns.size(); i++) {
      row.put(columns.get(i), cells.get(i));
    }
    return row;
  }
}

package io.lb4j.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tables of a page of the documentation, for tests that run what it says, so that page and code cannot part.
 * Immutable, shared.
 */
public final class DocumentedTables {
  private final Path page;

  private DocumentedTables(Path page) {
    this.page = page;
  }

  /**
   * The tables of a page.
   *
   * @param page Markdown, for example {@code ../docs/operations.md} in a module's directory
   * @return its tables, which are read when they are asked for
   */
  public static DocumentedTables of(Path page) {
    return new DocumentedTables(page);
  }

  /**
   * The first table under a heading of the second level.
   *
   * @param heading without its marks
   * @return for each row a map from column to cell, in the order of the page
   * @throws AssertionError when there is none
   */
  public List<Map<String, String>> table(String heading) {
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
      throw new AssertionError("no table under '" + heading + "' in " + page);
    }
    return rows;
  }

  private List<String> lines() {
    try {
      return Files.readAllLines(page);
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

package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.List;

/** A table in Markdown. Owned by its maker. */
final class Table {
  private final List<String> lines = new ArrayList<>();

  Table(String... headings) {
    row((Object[]) headings);
    lines.add("|" + " --- |".repeat(headings.length));
  }

  void row(Object... cells) {
    StringBuilder line = new StringBuilder("|");
    for (Object cell : cells) {
      line.append(cell.toString().isEmpty() ? "" : " " + cell).append(" |");
    }
    lines.add(line.toString());
  }

  boolean isEmpty() {
    return lines.size() == 2;
  }

  @Override
  public String toString() {
    return isEmpty() ? "Not measured.\n" : String.join("\n", lines) + "\n";
  }
}

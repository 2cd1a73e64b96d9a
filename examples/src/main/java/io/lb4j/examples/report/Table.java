package io.lb4j.examples.report;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A text table whose columns are as wide as their widest cell; numbers stand to the right. Owned by one thread. */
public final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  /**
   * Begins a table.
   *
   * @param heads of the columns
   */
  public Table(String... heads) {
    rows.add(List.of(heads));
  }

  /**
   * Adds a row.
   *
   * @param cells as many as there are heads
   * @return this
   */
  public Table row(Object... cells) {
    rows.add(List.of(cells).stream().map(String::valueOf).toList());
    return this;
  }

  /** Lines, each ended by a line break. */
  @Override
  public String toString() {
    int columns = rows.get(0).size();
    int[] widths =
        IntStream.range(0, columns)
            .map(c -> rows.stream().mapToInt(row -> row.get(c).length()).max().orElse(0))
            .toArray();
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        String padding = " ".repeat(widths[c] - row.get(c).length());
        line.append("  ").append(isNumber(c) ? padding + row.get(c) : row.get(c) + padding);
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private boolean isNumber(int column) {
    return rows.size() > 1 && rows.stream().skip(1).allMatch(row -> row.get(column).matches("[0-9.,%]+"));
  }
}

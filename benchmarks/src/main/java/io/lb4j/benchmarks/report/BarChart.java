package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Bars from the left, one under the other, with their values. Owned by its maker. */
final class BarChart {
  private static final int WIDTH = 760;
  private static final int LEFT = 250; // names of the bars
  private static final int RIGHT = 90; // their values
  private static final int TOP = 74;
  private static final int ROW = 34;
  private static final int THICKNESS = 20;
  private static final int BOTTOM = 18;

  private final String title;
  private final String unit;
  private final List<Bar> bars = new ArrayList<>();

  private record Bar(String name, boolean baseline, double value) {}

  BarChart(String title, String unit) {
    this.title = title;
    this.unit = unit;
  }

  /** Adds a bar, if it was measured; baselines are grey. */
  BarChart bar(String name, boolean baseline, double value) {
    if (!Double.isNaN(value)) {
      bars.add(new Bar(name, baseline, value));
    }
    return this;
  }

  boolean isEmpty() {
    return bars.isEmpty();
  }

  @Override
  public String toString() {
    Svg svg = new Svg(WIDTH, TOP + bars.size() * ROW + BOTTOM, title, description());
    svg.text(24, TOP - 18, "start", Svg.FAINT, unit);
    double top = Scale.top(bars.stream().map(Bar::value).toList());
    for (int i = 0; i < bars.size(); i++) {
      Bar bar = bars.get(i);
      double y = TOP + i * ROW;
      double width = Math.max(1, bar.value() / top * (WIDTH - LEFT - RIGHT));
      svg.text(LEFT - 10, y + 15, "end", Svg.TEXT, bar.name());
      svg.bar(LEFT, y, width, THICKNESS, bar.baseline() ? "#94a3b8" : Svg.color(0));
      svg.text(LEFT + width + 8, y + 15, "start", Svg.TEXT, Numbers.text(bar.value()));
    }
    return svg.toString();
  }

  private String description() {
    return unit + ". "
        + bars.stream().map(bar -> bar.name() + ": " + Numbers.text(bar.value())).collect(Collectors.joining("; "))
        + ".";
  }
}

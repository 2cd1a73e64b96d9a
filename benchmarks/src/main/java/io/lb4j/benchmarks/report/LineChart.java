package io.lb4j.benchmarks.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Lines over a few named places, from zero up. Owned by its maker. */
final class LineChart {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 400;
  private static final int LEFT = 64;
  private static final int RIGHT = 250; // names of the lines
  private static final int TOP = 66;
  private static final int BOTTOM = 56;
  private static final int APART = 18;

  private final String title;
  private final String unit;
  private final String axis;
  private final List<String> places;
  private final List<Line> lines = new ArrayList<>();

  private record Line(String name, boolean baseline, List<Double> values) {
    boolean isEmpty() {
      return values.stream().allMatch(value -> value.isNaN());
    }
  }

  LineChart(String title, String unit, String axis, List<String> places) {
    this.title = title;
    this.unit = unit;
    this.axis = axis;
    this.places = places;
  }

  /** Adds a line; NaN where nothing was measured. A line of nothing is left out, a baseline is dashed. */
  LineChart line(String name, boolean baseline, List<Double> values) {
    Line line = new Line(name, baseline, values);
    if (!line.isEmpty()) {
      lines.add(line);
    }
    return this;
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  @Override
  public String toString() {
    Svg svg = new Svg(WIDTH, HEIGHT, title, description());
    double top = Scale.top(lines.stream().flatMap(line -> line.values().stream()).toList());
    svg.text(LEFT - 40, TOP - 12, "start", Svg.FAINT, unit);
    for (double tick : Scale.ticks(top)) {
      double y = y(tick, top);
      svg.line(LEFT, y, WIDTH - RIGHT, y, Svg.GRID, 1);
      svg.text(LEFT - 8, y + 4, "end", Svg.FAINT, Scale.label(tick));
    }
    for (int place = 0; place < places.size(); place++) {
      svg.text(x(place), HEIGHT - BOTTOM + 20, "middle", Svg.TEXT, places.get(place));
    }
    svg.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14, "middle", Svg.FAINT, axis);
    for (int i = 0; i < lines.size(); i++) {
      draw(svg, lines.get(i), Svg.color(i), top);
    }
    name(svg, top);
    return svg.toString();
  }

  private void draw(Svg svg, Line line, String color, double top) {
    StringBuilder points = new StringBuilder();
    for (int place = 0; place < places.size(); place++) {
      double value = line.values().get(place);
      if (!Double.isNaN(value)) {
        points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(place), y(value, top)));
      }
    }
    svg.path(points.toString().trim(), color, line.baseline());
    for (int place = 0; place < places.size(); place++) {
      if (!Double.isNaN(line.values().get(place))) {
        svg.dot(x(place), y(line.values().get(place), top), color);
      }
    }
  }

  /** Names the lines at their ends, from the highest down, no two on top of each other. */
  private void name(Svg svg, double top) {
    List<Integer> order =
        IntStream.range(0, lines.size())
            .boxed()
            .sorted(Comparator.comparingDouble(i -> y(last(lines.get(i)), top)))
            .toList();
    double lowest = TOP - APART;
    for (int i : order) {
      double y = Math.max(lowest + APART, y(last(lines.get(i)), top) + 4);
      lowest = y;
      String value = Numbers.text(last(lines.get(i)));
      svg.text(WIDTH - RIGHT + 14, y, "start", Svg.color(i), lines.get(i).name() + ", " + value);
    }
  }

  private static double last(Line line) {
    double last = Double.NaN;
    for (double value : line.values()) {
      last = Double.isNaN(value) ? last : value;
    }
    return last;
  }

  private double x(int place) {
    int width = WIDTH - RIGHT - LEFT;
    return LEFT + (place + 0.5) * width / places.size();
  }

  private static double y(double value, double top) {
    return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP);
  }

  private String description() {
    return unit + ". "
        + lines.stream()
            .map(
                line ->
                    line.name() + ": "
                        + line.values().stream().map(Numbers::text).collect(Collectors.joining(", ")))
            .collect(Collectors.joining("; "))
        + " at " + String.join(", ", places) + ".";
  }
}

package io.lb4j.benchmarks.report;

import java.util.List;
import java.util.Locale;

/**
 * A picture on a panel of its own, so that the page may be light or dark. No scripts, no fonts but the reader's own.
 * Owned by its maker.
 */
final class Svg {
  static final String TEXT = "#0f172a";
  static final String FAINT = "#475569";
  static final String GRID = "#cbd5e1";

  private static final List<String> COLORS =
      List.of("#1d4ed8", "#b45309", "#047857", "#be123c", "#6d28d9", "#0e7490", "#4d7c0f", "#57534e");

  private final StringBuilder out = new StringBuilder();

  Svg(int width, int height, String title, String description) {
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
            + "aria-labelledby=\"title text\" font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" "
            + "font-size=\"13\">%n",
        width, height, width, height);
    add("  <title id=\"title\">%s</title>%n  <desc id=\"text\">%s</desc>%n", escaped(title), escaped(description));
    add(
        "  <rect x=\"1\" y=\"1\" width=\"%d\" height=\"%d\" rx=\"12\" fill=\"#f8fafc\" stroke=\"#94a3b8\"/>%n",
        width - 2, height - 2);
    add(
        "  <text x=\"24\" y=\"34\" font-size=\"17\" font-weight=\"600\" fill=\"%s\">%s</text>%n",
        TEXT, escaped(title));
  }

  static String color(int index) {
    return COLORS.get(index % COLORS.size());
  }

  private void add(String format, Object... arguments) {
    out.append(String.format(Locale.ROOT, format.replace("%n", "\n"), arguments));
  }

  void line(double x1, double y1, double x2, double y2, String color, double width) {
    add(
        "  <line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%.1f\"/>%n",
        x1, y1, x2, y2, color, width);
  }

  void path(String points, String color, boolean dashed) {
    add(
        "  <polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\"%s/>%n",
        points, color, dashed ? " stroke-dasharray=\"6 5\"" : "");
  }

  void dot(double x, double y, String color) {
    add("  <circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>%n", x, y, color);
  }

  void bar(double x, double y, double width, double height, String color) {
    add(
        "  <rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"3\" fill=\"%s\"/>%n",
        x, y, width, height, color);
  }

  /** Text whose {@code anchor} is start, middle or end. */
  void text(double x, double y, String anchor, String color, String text) {
    add(
        "  <text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>%n",
        x, y, anchor, color, escaped(text));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
  }

  @Override
  public String toString() {
    return out + "</svg>\n";
  }
}

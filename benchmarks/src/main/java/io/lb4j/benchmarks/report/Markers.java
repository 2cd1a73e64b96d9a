package io.lb4j.benchmarks.report;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts figures between the markers of a Markdown page, {@code <!-- figures: NAME -->} and
 * {@code <!-- end of figures -->}, and leaves all else as it is. Figures of the lab, whose names begin with
 * {@code lab-}, are made by a program of their own: who fills in one kind leaves the other as it stands. Stateless.
 */
final class Markers {
  private static final Pattern SECTION =
      Pattern.compile("(<!-- figures: ([\\w-]+) -->\\n)(.*?)(<!-- end of figures -->)", Pattern.DOTALL);

  private Markers() {}

  /**
   * A page with its figures.
   *
   * @param page with markers
   * @param sections by name
   * @throws IllegalArgumentException when a marker asks for what there is not
   */
  static String fill(String page, Map<String, String> sections) {
    return SECTION
        .matcher(page)
        .replaceAll(
            found -> {
              String section = sections.get(found.group(2));
              if (section == null && isLab(found.group(2)) != sections.keySet().stream().anyMatch(Markers::isLab)) {
                return Matcher.quoteReplacement(found.group());
              }
              if (section == null) {
                throw new IllegalArgumentException("there are no figures named " + found.group(2));
              }
              String text = section.isBlank() ? "" : "\n" + section.strip() + "\n\n";
              return Matcher.quoteReplacement(found.group(1) + text + found.group(4));
            });
  }

  private static boolean isLab(String name) {
    return name.startsWith("lab-");
  }
}

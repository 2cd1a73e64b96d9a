package io.lb4j.examples.config;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times as people write them: a whole number and a unit. Safe from any thread. */
public final class DurationText {
  /** What is expected, for messages. */
  public static final String FORM = "a duration like 200ms, 300s, 5m, 2h or 7d";

  private static final Pattern PATTERN = Pattern.compile("([0-9]{1,12})(ms|s|m|h|d)");

  private DurationText() {}

  /**
   * Reads a time.
   *
   * @param text for example {@code 300s}
   * @return nothing when it has another form
   */
  public static Optional<Duration> parse(String text) {
    Matcher form = PATTERN.matcher(text);
    if (!form.matches()) {
      return Optional.empty();
    }
    long amount = Long.parseLong(form.group(1));
    return Optional.of(
        switch (form.group(2)) {
          case "ms" -> Duration.ofMillis(amount);
          case "s" -> Duration.ofSeconds(amount);
          case "m" -> Duration.ofMinutes(amount);
          case "h" -> Duration.ofHours(amount);
          default -> Duration.ofDays(amount);
        });
  }
}

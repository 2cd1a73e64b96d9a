package io.lb4j.monitor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;

/**
 * Watching a service's servers by the clients' own connections: a server that answers none while its fellows answer
 * theirs is not used for a while, longer each time. Immutable, shared; {@link #defaults()} and the withers make it.
 *
 * <p>A server is taken out only when within the window <i>all</i> of this is so: at least {@code minimum} attempts to
 * connect to it failed; by what its fellows answered in the same time, and by its weight, or the part of it that slow
 * start gives it, it should have answered at least {@code minimum} clients; and it has answered at most
 * {@code 1 - ratio} of these. So no flood of forged SYNs can take out a server that answers real clients, or all
 * servers together, however many failures it makes. Servers that new flows do not go to are not judged.
 *
 * @param window how far back is looked
 * @param minimum failed attempts, and expected answers, without which nothing is concluded
 * @param ratio the share of expected answers that is missing; 1 when a single answer clears the server
 * @param inhibit how long a server is not used for the first time; twice as long each time that it is found so again
 * @param longest how long at most
 */
public record Observation(Duration window, int minimum, double ratio, Duration inhibit, Duration longest) {
  private static final Observation DEFAULTS =
      new Observation(Duration.ofSeconds(10), 10, 1, Duration.ofSeconds(5), Duration.ofSeconds(3600));
  private static final int MOST_EVIDENCE = 1_000_000;

  /** Refuses what would conclude from nothing. */
  public Observation {
    range("window", window, Duration.ofSeconds(1), Duration.ofMinutes(5));
    if (minimum < 1 || minimum > MOST_EVIDENCE) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "observation: minimum", minimum, "not in 1.." + MOST_EVIDENCE);
    }
    if (!(ratio >= 0.5 && ratio <= 1)) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "observation: ratio", ratio, "not in 0.5..1");
    }
    range("inhibit", inhibit, Duration.ofSeconds(1), Duration.ofHours(24));
    range("longest", longest, inhibit, Duration.ofHours(24));
  }

  private static void range(String setting, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "observation: " + setting,
          value,
          "not in " + least.toSeconds() + " s.." + most.toSeconds() + " s");
    }
  }

  /**
   * A window of 10 s, 10 failures, no answer, and 5 s to 3600 s out of use.
   *
   * @return the defaults
   */
  public static Observation defaults() {
    return DEFAULTS;
  }

  /**
   * The same over another time.
   *
   * @param newWindow 1 s to 5 min
   * @return a new declaration
   */
  public Observation window(Duration newWindow) {
    return new Observation(newWindow, minimum, ratio, inhibit, longest);
  }

  /**
   * The same with more or less evidence.
   *
   * @param failures 1 or more
   * @param missing share of expected answers that is missing, 0.5..1
   * @return a new declaration
   */
  public Observation evidence(int failures, double missing) {
    return new Observation(window, failures, missing, inhibit, longest);
  }

  /**
   * The same with other times out of use.
   *
   * @param first for the first time
   * @param most however often it is found so
   * @return a new declaration
   */
  public Observation inhibit(Duration first, Duration most) {
    return new Observation(window, minimum, ratio, first, most);
  }
}

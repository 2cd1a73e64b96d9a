package io.lb4j.flow;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;

/**
 * How long a flow lives without a frame, per state. Immutable, shared. A flow never ends before its time-out and ends
 * at most one tick ({@link FlowTable#TICK_NS}) and one sweep after it; a frame that comes after the time-out is a new
 * flow's, swept or not.
 *
 * @param syn TCP, the client's SYN alone was seen
 * @param established TCP, the client has acknowledged
 * @param fin TCP, after the client's FIN
 * @param reset TCP, after a reset that counts
 * @param udp UDP
 */
public record FlowTimeouts(Duration syn, Duration established, Duration fin, Duration reset, Duration udp) {
  /** The longest time-out. */
  public static final Duration LONGEST = Duration.ofHours(4);

  /** The defaults of Direct Server Return, where only the client's half is seen. */
  public static final FlowTimeouts ONE_DIRECTION =
      new FlowTimeouts(
          Duration.ofSeconds(60),
          Duration.ofSeconds(900),
          Duration.ofSeconds(30),
          Duration.ofSeconds(30),
          Duration.ofSeconds(120));

  /** Refuses time-outs that the table cannot keep. */
  public FlowTimeouts {
    check("syn", syn);
    check("established", established);
    check("fin", fin);
    check("reset", reset);
    check("udp", udp);
  }

  private static void check(String state, Duration timeout) {
    if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(LONGEST) > 0) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "timeouts: " + state, timeout, "not in 1 s.." + LONGEST.toHours() + " h");
    }
  }

  /**
   * The time-out of a state.
   *
   * @param state of a flow
   * @return how long it lives without a frame; zero for {@link FlowState#FREE}
   */
  public Duration of(FlowState state) {
    return switch (state) {
      case SYN -> syn;
      case ESTABLISHED -> established;
      case FIN -> fin;
      case RESET -> reset;
      case UDP_FIRST, UDP -> udp;
      case FREE -> Duration.ZERO;
    };
  }
}

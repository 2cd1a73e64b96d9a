package io.lb4j.monitor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How, and how often, a server is asked whether it is well. Immutable, shared, equal by value. {@link #tcp()} and its
 * fellows begin one.
 *
 * <p>A server that fails is found within {@code out * interval + timeout + jitter * interval}.
 *
 * @param check what is asked
 * @param port 1..65535; 0 for the server's, or the service's own
 * @param interval from the start of one probe to the start of the next
 * @param timeout how long a probe may take; not longer than the interval
 * @param in so many successes in a row bring a server that is down up; one that nobody has judged yet is up with the
 *     first
 * @param out so many failures in a row take a server down
 * @param jitter each probe starts later by chance, by up to this share of the interval, so that servers and balancers
 *     are not all asked, and do not all ask, at once
 */
public record Monitor(Check check, int port, Duration interval, Duration timeout, int in, int out, double jitter) {
  /** The interval unless told otherwise. */
  public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(5);

  /** The time-out unless told otherwise; an interval that is shorter is the time-out as well. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(2);

  /** Successes in a row, unless told otherwise. */
  public static final int DEFAULT_IN = 2;

  /** Failures in a row, unless told otherwise. */
  public static final int DEFAULT_OUT = 3;

  /** The jitter unless told otherwise. */
  public static final double DEFAULT_JITTER = 0.1;

  private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(100);
  private static final Duration LONGEST_INTERVAL = Duration.ofHours(1);
  private static final Duration SHORTEST_TIMEOUT = Duration.ofMillis(10);
  private static final int MOST_IN_A_ROW = 100;

  /** Refuses what cannot be kept. */
  public Monitor {
    if (port < 0 || port > 65535) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "monitor: port", port, "not in 0..65535");
    }
    if (port != 0 && check instanceof Check.Ping) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION, "monitor: port", port, "an echo request has no port");
    }
    range("interval", interval, SHORTEST_INTERVAL, LONGEST_INTERVAL);
    range("timeout", timeout, SHORTEST_TIMEOUT, LONGEST_INTERVAL);
    if (timeout.compareTo(interval) > 0) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "monitor: timeout",
          timeout,
          "is longer than the interval of " + interval + ": probes would overlap");
    }
    count("in", in);
    count("out", out);
    if (!(jitter >= 0 && jitter <= 1)) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "monitor: jitter", jitter, "not in 0..1");
    }
  }

  private static void range(String setting, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "monitor: " + setting,
          value,
          "not in " + least.toMillis() + " ms.." + most.toHours() + " h");
    }
  }

  private static void count(String setting, int value) {
    if (value < 1 || value > MOST_IN_A_ROW) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "monitor: " + setting, value, "not in 1.." + MOST_IN_A_ROW);
    }
  }

  /**
   * Begins a monitor that connects by TCP: the usual kind.
   *
   * @return its settings
   */
  public static Options tcp() {
    return new Options(new Check.TcpConnect());
  }

  /**
   * Begins a monitor that sends ICMP echo requests, as frames of the balancer's.
   *
   * @return its settings
   */
  public static Options ping() {
    return new Options(new Check.Ping());
  }

  /**
   * Begins a monitor that asks for the virtual addresses at the server's MAC address; for Direct Server Return.
   *
   * @return its settings
   */
  public static Options dsr() {
    return new Options(new Check.Direct());
  }

  /**
   * Begins a monitor that sends a datagram.
   *
   * @param check request and expected answer
   * @return its settings
   */
  public static Options udp(UdpCheck check) {
    return new Options(check);
  }

  /**
   * Begins a monitor that asks by HTTP.
   *
   * @param check request and expected answer
   * @return its settings
   */
  public static Options http(HttpCheck check) {
    return new Options(check);
  }

  /**
   * Begins a monitor that calls a function of the host.
   *
   * @param probe called on a probe thread
   * @return its settings
   */
  public static Options own(Probe probe) {
    return new Options(new Check.Own(probe));
  }

  /**
   * The longest time from a server's failure until it is down.
   *
   * @return {@code out * interval + timeout + jitter * interval}
   */
  public Duration detection() {
    return interval.multipliedBy(out).plus(timeout).plusNanos((long) (jitter * interval.toNanos()));
  }

  /** Settings of a monitor beside its kind. Owned by the caller. */
  public static final class Options {
    private final Check check;
    private int port;
    private Duration interval = DEFAULT_INTERVAL;
    private @Nullable Duration timeout;
    private int in = DEFAULT_IN;
    private int out = DEFAULT_OUT;
    private double jitter = DEFAULT_JITTER;

    /**
     * The defaults.
     *
     * @param check what is asked
     */
    public Options(Check check) {
      this.check = check;
    }

    /**
     * Asks another port than the service's.
     *
     * @param newPort 1..65535; 0 for the server's, or the service's own
     * @return this
     */
    public Options port(int newPort) {
      this.port = newPort;
      return this;
    }

    /**
     * How often the server is asked.
     *
     * @param newInterval from start to start, 100 ms to 1 h
     * @return this
     */
    public Options interval(Duration newInterval) {
      this.interval = newInterval;
      return this;
    }

    /**
     * How long a probe may take.
     *
     * @param newTimeout from 10 ms to the interval
     * @return this
     */
    public Options timeout(Duration newTimeout) {
      this.timeout = newTimeout;
      return this;
    }

    /**
     * How many successes in a row bring the server up.
     *
     * @param successes 1..100
     * @return this
     */
    public Options in(int successes) {
      this.in = successes;
      return this;
    }

    /**
     * How many failures in a row take the server down.
     *
     * @param failures 1..100
     * @return this
     */
    public Options out(int failures) {
      this.out = failures;
      return this;
    }

    /**
     * How much chance there is in the starts.
     *
     * @param share of the interval, 0..1
     * @return this
     */
    public Options jitter(double share) {
      this.jitter = share;
      return this;
    }

    /**
     * The declaration.
     *
     * @return immutable
     * @throws ConfigurationException when a setting is outside its range, or the time-out longer than the interval
     */
    public Monitor build() {
      Duration effective = timeout;
      if (effective == null) {
        effective = interval.compareTo(DEFAULT_TIMEOUT) < 0 ? interval : DEFAULT_TIMEOUT;
      }
      return new Monitor(check, port, interval, effective, in, out, jitter);
    }
  }
}

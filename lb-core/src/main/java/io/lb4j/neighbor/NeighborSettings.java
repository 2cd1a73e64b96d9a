package io.lb4j.neighbor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;

/**
 * How next hops are resolved and how frames wait for them. Immutable, shared. The defaults are those of RFC 4861,
 * section 10, for IPv4 as well.
 *
 * @param retransmitNs between two solicitations, in nanoseconds (RFC 4861: RetransTimer)
 * @param solicitations sent to the group or broadcast address before a next hop counts as failed
 * @param reachableNs how long a confirmation lasts, in nanoseconds; each time multiplied by 0.5 to 1.5 at random
 * @param firstProbeDelayNs from an unconfirmed MAC address to the first unicast probe, in nanoseconds
 * @param probes sent to the known MAC address before the next hop counts as failed
 * @param backOffMinNs from the first failure to the next attempt, in nanoseconds; doubled after each failure
 * @param backOffMaxNs the longest such pause, in nanoseconds
 * @param movedEventNs between two events about changes of one next hop's MAC address, in nanoseconds
 * @param heldFramesPerNeighbor frames that wait for one next hop at most
 * @param heldFrames frames that wait in one worker at most
 * @param heldBytes bytes of frames that wait in one worker at most
 * @param heldTimeNs how long a frame waits at most, in nanoseconds
 */
public record NeighborSettings(
    long retransmitNs,
    int solicitations,
    long reachableNs,
    long firstProbeDelayNs,
    int probes,
    long backOffMinNs,
    long backOffMaxNs,
    long movedEventNs,
    int heldFramesPerNeighbor,
    int heldFrames,
    int heldBytes,
    long heldTimeNs) {
  private static final NeighborSettings DEFAULTS = builder().build();

  /** Refuses values outside their ranges. */
  public NeighborSettings {
    positive("retransmit", retransmitNs);
    positive("solicitations", solicitations);
    positive("reachable", reachableNs);
    notNegative("first-probe-delay", firstProbeDelayNs);
    positive("probes", probes);
    positive("back-off-min", backOffMinNs);
    if (backOffMaxNs < backOffMinNs) {
      throw outOfRange("back-off-max", backOffMaxNs, "is less than back-off-min, " + backOffMinNs);
    }
    notNegative("moved-event", movedEventNs);
    notNegative("held-frames-per-neighbor", heldFramesPerNeighbor);
    notNegative("held-frames", heldFrames);
    notNegative("held-bytes", heldBytes);
    positive("held-time", heldTimeNs);
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw outOfRange(name, value, "must be more than 0");
    }
  }

  private static void notNegative(String name, long value) {
    if (value < 0) {
      throw outOfRange(name, value, "must not be negative");
    }
  }

  private static ConfigurationException outOfRange(String name, long value, String reason) {
    return new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "neighbors: " + name, value, reason);
  }

  /**
   * The values of RFC 4861.
   *
   * @return always the same object
   */
  public static NeighborSettings defaults() {
    return DEFAULTS;
  }

  /**
   * Starts from the defaults.
   *
   * @return a builder, owned by the caller
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Changes some of the defaults. Owned by one thread. */
  public static final class Builder {
    private Duration retransmit = Duration.ofSeconds(1);
    private int solicitations = 3;
    private Duration reachable = Duration.ofSeconds(30);
    private Duration firstProbeDelay = Duration.ofSeconds(5);
    private int probes = 3;
    private Duration backOffMin = Duration.ofSeconds(5);
    private Duration backOffMax = Duration.ofSeconds(60);
    private Duration movedEvent = Duration.ofSeconds(1);
    private int heldFramesPerNeighbor = 32;
    private int heldFrames = 256;
    private int heldBytes = 512 * 1024;
    private Duration heldTime = Duration.ofSeconds(3);

    private Builder() {}

    /**
     * How a next hop is asked for.
     *
     * @param interval between two solicitations; 1 s
     * @param count of solicitations before it counts as failed; 3
     * @return this
     */
    public Builder solicitations(Duration interval, int count) {
      retransmit = interval;
      solicitations = count;
      return this;
    }

    /**
     * How a known next hop is kept fresh.
     *
     * @param time that a confirmation lasts; 30 s
     * @param delay from an unconfirmed MAC address to its first probe; 5 s
     * @param count of unicast probes before it counts as failed; 3
     * @return this
     */
    public Builder reachability(Duration time, Duration delay, int count) {
      reachable = time;
      firstProbeDelay = delay;
      probes = count;
      return this;
    }

    /**
     * How soon a failed next hop is asked for again while frames want it.
     *
     * @param first pause; 5 s
     * @param longest pause; 60 s
     * @return this
     */
    public Builder backOff(Duration first, Duration longest) {
      backOffMin = first;
      backOffMax = longest;
      return this;
    }

    /**
     * How often a change of one next hop's MAC address is told.
     *
     * @param interval between two events; 1 s
     * @return this
     */
    public Builder movedEvents(Duration interval) {
      movedEvent = interval;
      return this;
    }

    /**
     * How much waits for next hops in one worker.
     *
     * @param framesPerNeighbor frames for one next hop; 32
     * @param frames in all; 256
     * @param bytes in all; 524,288
     * @param time that a frame waits at most; 3 s
     * @return this
     */
    public Builder held(int framesPerNeighbor, int frames, int bytes, Duration time) {
      heldFramesPerNeighbor = framesPerNeighbor;
      heldFrames = frames;
      heldBytes = bytes;
      heldTime = time;
      return this;
    }

    /**
     * The settings.
     *
     * @return immutable
     * @throws ConfigurationException when a value is outside its range
     */
    public NeighborSettings build() {
      return new NeighborSettings(
          retransmit.toNanos(),
          solicitations,
          reachable.toNanos(),
          firstProbeDelay.toNanos(),
          probes,
          backOffMin.toNanos(),
          backOffMax.toNanos(),
          movedEvent.toNanos(),
          heldFramesPerNeighbor,
          heldFrames,
          heldBytes,
          heldTime.toNanos());
    }
  }
}

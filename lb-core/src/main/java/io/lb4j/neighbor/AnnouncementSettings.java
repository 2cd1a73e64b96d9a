package io.lb4j.neighbor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;

/**
 * How virtual addresses are probed, announced and joined. Immutable, shared. The defaults are those of RFC 5227,
 * section 1.1 (IPv4), RFC 4862, section 5.1 (IPv6) and RFC 3810, section 9.
 *
 * @param enabled false when virtual addresses count as claimed at once and nothing is sent unasked
 * @param probeWaitNs longest random delay before the first probe, in nanoseconds
 * @param arpProbes ARP probes before an IPv4 address is claimed; 0 claims it at once
 * @param probeMinNs shortest random time between ARP probes, in nanoseconds
 * @param probeMaxNs longest random time between ARP probes, in nanoseconds
 * @param announceWaitNs from the last ARP probe to the claim, in nanoseconds
 * @param duplicateAddressProbes solicitations before an IPv6 address is claimed; 0 claims it at once
 * @param retransmitNs between those, and from the last to the claim, in nanoseconds
 * @param announcements sent when an address is claimed
 * @param announceIntervalNs between those, in nanoseconds
 * @param refreshNs between later announcements, in nanoseconds; 0 for none
 * @param defendIntervalNs between two defences of a claimed address, in nanoseconds
 * @param conflictRetryNs from a conflict while probing to the next attempt, in nanoseconds
 * @param robustness how often a change of multicast membership is reported
 * @param reportIntervalNs longest random time between those reports, in nanoseconds
 */
public record AnnouncementSettings(
    boolean enabled,
    long probeWaitNs,
    int arpProbes,
    long probeMinNs,
    long probeMaxNs,
    long announceWaitNs,
    int duplicateAddressProbes,
    long retransmitNs,
    int announcements,
    long announceIntervalNs,
    long refreshNs,
    long defendIntervalNs,
    long conflictRetryNs,
    int robustness,
    long reportIntervalNs) {
  private static final AnnouncementSettings DEFAULTS = builder().build();
  private static final AnnouncementSettings OFF = new Builder(false).build();

  /** Refuses values outside their ranges. */
  public AnnouncementSettings {
    atLeast(0, "probe-wait", probeWaitNs);
    atLeast(0, "arp-probes", arpProbes);
    atLeast(1, "probe-min", probeMinNs);
    atLeast(probeMinNs, "probe-max", probeMaxNs);
    atLeast(0, "announce-wait", announceWaitNs);
    atLeast(0, "duplicate-address-probes", duplicateAddressProbes);
    atLeast(1, "retransmit", retransmitNs);
    atLeast(0, "announcements", announcements);
    atLeast(1, "announce-interval", announceIntervalNs);
    atLeast(0, "refresh", refreshNs);
    atLeast(0, "defend-interval", defendIntervalNs);
    atLeast(1, "conflict-retry", conflictRetryNs);
    atLeast(1, "robustness", robustness);
    atLeast(1, "report-interval", reportIntervalNs);
  }

  private static void atLeast(long least, String name, long value) {
    if (value < least) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "announce: " + name, value, "must be " + least + " or more");
    }
  }

  /**
   * The values of the RFCs, and an announcement every 60 seconds.
   *
   * @return always the same object
   */
  public static AnnouncementSettings defaults() {
    return DEFAULTS;
  }

  /**
   * No probes, announcements, defences or listener reports: virtual addresses count as claimed at once and are answered
   * for. For replay, and where somebody else announces.
   *
   * @return always the same object
   */
  public static AnnouncementSettings off() {
    return OFF;
  }

  /**
   * Starts from the defaults.
   *
   * @return a builder, owned by the caller
   */
  public static Builder builder() {
    return new Builder(true);
  }

  /** Changes some of the defaults. Owned by one thread. */
  public static final class Builder {
    private final boolean enabled;
    private Duration probeWait = Duration.ofSeconds(1);
    private int arpProbes = 3;
    private Duration probeMin = Duration.ofSeconds(1);
    private Duration probeMax = Duration.ofSeconds(2);
    private Duration announceWait = Duration.ofSeconds(2);
    private int duplicateAddressProbes = 1;
    private Duration retransmit = Duration.ofSeconds(1);
    private int announcements = 2;
    private Duration announceInterval = Duration.ofSeconds(2);
    private Duration refresh = Duration.ofSeconds(60);
    private Duration defendInterval = Duration.ofSeconds(10);
    private Duration conflictRetry = Duration.ofSeconds(60);
    private int robustness = 2;
    private Duration reportInterval = Duration.ofSeconds(1);

    private Builder(boolean enabled) {
      this.enabled = enabled;
    }

    /**
     * How long to wait before the first probe, so that machines that start together do not probe together.
     *
     * @param longest the random delay is between 0 and this; 1 s
     * @return this
     */
    public Builder probeWait(Duration longest) {
      probeWait = longest;
      return this;
    }

    /**
     * How IPv4 addresses are probed (RFC 5227, section 2.1.1).
     *
     * @param count of probes; 3, with 0 the address is claimed at once
     * @param shortest time between probes; 1 s
     * @param longest time between probes; 2 s
     * @param wait from the last probe to the claim; 2 s
     * @return this
     */
    public Builder arpProbes(int count, Duration shortest, Duration longest, Duration wait) {
      arpProbes = count;
      probeMin = shortest;
      probeMax = longest;
      announceWait = wait;
      return this;
    }

    /**
     * How IPv6 addresses are probed (RFC 4862, section 5.4).
     *
     * @param count of solicitations; 1, with 0 the address is claimed at once
     * @param interval between them, and from the last to the claim; 1 s
     * @return this
     */
    public Builder duplicateAddressProbes(int count, Duration interval) {
      duplicateAddressProbes = count;
      retransmit = interval;
      return this;
    }

    /**
     * How a claim is announced.
     *
     * @param count of announcements; 2
     * @param interval between them; 2 s
     * @return this
     */
    public Builder announcements(int count, Duration interval) {
      announcements = count;
      announceInterval = interval;
      return this;
    }

    /**
     * How often a claimed address is announced again, so that switches do not forget its port.
     *
     * @param interval between announcements; 60 s, 0 for none
     * @return this
     */
    public Builder refresh(Duration interval) {
      refresh = interval;
      return this;
    }

    /**
     * What happens when somebody else uses a virtual address.
     *
     * @param defend shortest time between two defences of a claimed address; 10 s
     * @param retry from a conflict while probing to the next attempt; 60 s
     * @return this
     */
    public Builder conflicts(Duration defend, Duration retry) {
      defendInterval = defend;
      conflictRetry = retry;
      return this;
    }

    /**
     * How a change of multicast membership is reported (RFC 3810, sections 9.1 and 9.11).
     *
     * @param count of reports; 2
     * @param longest random time between them; 1 s
     * @return this
     */
    public Builder listenerReports(int count, Duration longest) {
      robustness = count;
      reportInterval = longest;
      return this;
    }

    /**
     * The settings.
     *
     * @return immutable
     * @throws ConfigurationException when a value is outside its range
     */
    public AnnouncementSettings build() {
      return new AnnouncementSettings(
          enabled,
          probeWait.toNanos(),
          arpProbes,
          probeMin.toNanos(),
          probeMax.toNanos(),
          announceWait.toNanos(),
          duplicateAddressProbes,
          retransmit.toNanos(),
          announcements,
          announceInterval.toNanos(),
          refresh.toNanos(),
          defendInterval.toNanos(),
          conflictRetry.toNanos(),
          robustness,
          reportInterval.toNanos());
    }
  }
}

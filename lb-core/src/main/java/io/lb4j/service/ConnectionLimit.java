package io.lb4j.service;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;

/**
 * How many connections a service or a real server holds at most, over all workers, exactly. A connection counts from
 * its first packet until it begins to close; a UDP flow until it expires. Immutable, shared.
 *
 * @param most 1 or more; 0 when there is no limit
 * @param resumeAt new connections are taken again once so few are left; below {@code most}
 */
public record ConnectionLimit(int most, int resumeAt) {
  /** No limit. */
  public static final ConnectionLimit NONE = new ConnectionLimit(0, 0);

  /** Refuses a limit that nothing could pass, or that would never open again. */
  public ConnectionLimit {
    boolean none = most == 0 && resumeAt == 0;
    if (!none && most < 1) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "max-connections", most, "not in 1.." + Integer.MAX_VALUE);
    }
    if (!none && (resumeAt < 0 || resumeAt >= most)) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "max-connections: resume-at", resumeAt, "not in 0.." + (most - 1));
    }
  }

  /**
   * A limit that takes the next connection as soon as one has ended.
   *
   * @param most 1 or more
   * @return the limit
   * @throws ConfigurationException for 0, too: a limit that nothing could pass, {@link #NONE} is none
   */
  public static ConnectionLimit of(int most) {
    return new ConnectionLimit(most, most - 1);
  }

  /**
   * Whether there is a limit.
   *
   * @return false for {@link #NONE}
   */
  public boolean exists() {
    return most != 0;
  }
}

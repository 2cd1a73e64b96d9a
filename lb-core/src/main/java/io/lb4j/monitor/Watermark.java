package io.lb4j.monitor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;

/**
 * Guards against a mass failure that is more likely the watcher's than the servers': when fewer than the low share of a
 * service's servers are well, those that are in use stay in use, whatever their monitors say, until the high share is
 * well again. Counted are servers that may take new flows, standby ones among them. Immutable, shared.
 *
 * @param low share of the servers, 0..1; 0 when nothing is guarded
 * @param high share of the servers, {@code low}..1
 */
public record Watermark(double low, double high) {
  /** 0.55 of 20 is more than 11 in binary, and less than this more. */
  private static final double ROUNDING = 1e-9;

  /** No guard: the last server may go down too. */
  public static final Watermark NONE = new Watermark(0, 0);

  /** Refuses what is no share, or upside down. */
  public Watermark {
    if (!(low >= 0 && low <= 1)) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "watermark: low", low, "not in 0..1");
    }
    if (!(high >= low && high <= 1)) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "watermark: high", high, "not in " + low + "..1");
    }
  }

  /**
   * One mark for both ways.
   *
   * @param share of the servers, 0..1
   * @return the guard
   */
  public static Watermark of(double share) {
    return new Watermark(share, share);
  }

  /**
   * Whether so few are too few.
   *
   * @param well servers that are well
   * @param all servers
   * @return true below the low share
   */
  public boolean isBelow(int well, int all) {
    return well < low * all - ROUNDING;
  }

  /**
   * Whether so many are enough again.
   *
   * @param well servers that are well
   * @param all servers
   * @return true from the high share on
   */
  public boolean isReached(int well, int all) {
    return well >= high * all - ROUNDING;
  }
}

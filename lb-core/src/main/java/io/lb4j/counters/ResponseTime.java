package io.lb4j.counters;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How long a server takes to answer, smoothed: an exponentially weighted mean over time, in which a measurement counts
 * with 1 - exp(-elapsed / time constant), elapsed since the one before. So it makes no difference how often is
 * measured. A measurement counts half at most, that one odd answer after a long silence does not decide, and 1/32 at
 * least. Safe from any thread: writers take a lock, readers one opaque load.
 */
public final class ResponseTime {
  /** What {@link #smoothedNs} answers before the first measurement. */
  public static final long UNKNOWN = 0;

  private static final double MOST = 0.5;
  private static final double LEAST = 1.0 / 32;

  private static final VarHandle SMOOTHED_NS;

  static {
    try {
      SMOOTHED_NS = MethodHandles.lookup().findVarHandle(ResponseTime.class, "smoothedNs", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final double timeConstantNs;
  private long smoothedNs;
  private double meanNs; // the same with its fraction
  private long lastNs;

  /**
   * Nothing measured.
   *
   * @param timeConstantNs after a change the mean has come 63 % of the way in this time
   */
  public ResponseTime(long timeConstantNs) {
    this.timeConstantNs = timeConstantNs;
  }

  /**
   * Takes a measurement.
   *
   * @param elapsedNs how long the server took, or the mean of several answers; negative ones are no measurements
   * @param nowNs the time
   */
  public synchronized void measured(long elapsedNs, long nowNs) {
    if (elapsedNs < 0) {
      return;
    }
    if (smoothedNs == UNKNOWN) {
      meanNs = elapsedNs;
    } else {
      double part = -Math.expm1(-(nowNs - lastNs) / timeConstantNs);
      meanNs += (elapsedNs - meanNs) * Math.max(LEAST, Math.min(MOST, part));
    }
    lastNs = nowNs;
    SMOOTHED_NS.setOpaque(this, Math.max(1, Math.round(meanNs)));
  }

  /**
   * The smoothed time.
   *
   * @return nanoseconds, 1 or more; {@link #UNKNOWN} before the first measurement
   */
  public long smoothedNs() {
    return (long) SMOOTHED_NS.getOpaque(this);
  }
}

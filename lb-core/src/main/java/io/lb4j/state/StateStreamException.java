package io.lb4j.state;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Saved state that cannot be read to its end: cut off, damaged, none at all, or of a later version. Each block is
 * checked before it is used; what was whole before has been taken over. Immutable.
 */
public final class StateStreamException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient RestoreReport report;

  /**
   * A stream that ended too early, or wrongly.
   *
   * @param reason why, as a sentence without a full stop
   * @param report what was taken over before
   * @param cause of the stream itself; null when there is none
   */
  public StateStreamException(String reason, RestoreReport report, @Nullable Throwable cause) {
    super(
        reason + "; " + report.flowsRestored() + " flows and " + report.clientsRestored() + " clients were taken over",
        cause);
    this.report = report;
  }

  /**
   * What was taken over before.
   *
   * @return of the whole blocks
   */
  public RestoreReport report() {
    return report;
  }
}

package io.lb4j.monitor;

import java.util.Objects;

/**
 * What a probe found. Immutable, shared.
 *
 * @param reason why
 * @param detail in words, without a full stop; may be empty, as null is: an exception's message, for example
 * @param elapsedNs from sending to answer, nanoseconds; negative when nothing was measured
 */
public record ProbeResult(ProbeReason reason, String detail, long elapsedNs) {
  /** Takes what a function of the host makes; without a reason it has found nothing. */
  public ProbeResult {
    Objects.requireNonNull(reason, "a probe's result has a reason");
    detail = Objects.requireNonNullElse(detail, "");
  }

  /**
   * A good answer.
   *
   * @param elapsedNs from sending to answer
   * @return the result
   */
  public static ProbeResult answered(long elapsedNs) {
    return new ProbeResult(ProbeReason.ANSWERED, "", elapsedNs);
  }

  /**
   * Anything else.
   *
   * @param reason why
   * @param detail in words
   * @return the result
   */
  public static ProbeResult failed(ProbeReason reason, String detail) {
    return new ProbeResult(reason, detail, -1);
  }

  /**
   * Whether the server is well.
   *
   * @return true for {@link ProbeReason#ANSWERED}
   */
  public boolean ok() {
    return reason == ProbeReason.ANSWERED;
  }
}

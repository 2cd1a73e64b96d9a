package io.lb4j.port;

/**
 * A port that cannot be opened or configured: no such interface, no permission, a device that refuses. The message
 * names the call, its error and the likely cause. Never thrown while frames flow.
 */
public final class PortException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Cause reason;

  /** Why, for a program to act on. */
  public enum Cause {
    /** No interface or file of this name. */
    NOT_FOUND,
    /** The process lacks a right. */
    NOT_PERMITTED,
    /** The interface is down. */
    DOWN,
    /** The system lacks the feature, the library or the link type. */
    NOT_SUPPORTED,
    /** Anything else the system said. */
    SYSTEM
  }

  /**
   * A failure.
   *
   * @param reason why
   * @param message the call, its error and the likely cause
   */
  public PortException(Cause reason, String message) {
    super(message);
    this.reason = reason;
  }

  /**
   * A failure that another exception explains.
   *
   * @param reason why
   * @param message the call, its error and the likely cause
   * @param cause what was caught
   */
  public PortException(Cause reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /**
   * Why.
   *
   * @return one of five
   */
  public Cause reason() {
    return reason;
  }
}

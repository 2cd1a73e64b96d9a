package io.lb4j.health;

/** The balancer's host has nothing left to make a probe with: that says nothing about the server. Immutable. */
final class NotMadeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A probe that asked nobody, and what was missing. */
  NotMadeException(String missing) {
    super(missing, null, false, false);
  }
}

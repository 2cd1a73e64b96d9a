package io.lb4j.health;

import io.lb4j.service.Health;

/**
 * What the results of one monitor say of one server: {@code in} successes in a row bring it up, {@code out} failures in
 * a row take it down. A server that nobody has judged yet is up with the first success, for it takes traffic anyway,
 * and down after {@code out} failures. Owned by the control thread.
 */
final class Tally {
  private final int in;
  private final int out;
  private Health health;
  private int against;

  /** Begins with what others have found; {@link Health#UNKNOWN} when nobody has. */
  Tally(int in, int out, Health before) {
    this.in = in;
    this.out = out;
    this.health = before;
  }

  Health health() {
    return health;
  }

  void onResult(boolean ok) {
    boolean agrees = health != Health.UNKNOWN && ok == health.serves();
    if (agrees) {
      against = 0;
      return;
    }
    against++;
    int needed = !ok ? out : health == Health.UNKNOWN ? 1 : in;
    if (against >= needed) {
      health = ok ? Health.UP : Health.DOWN;
      against = 0;
    }
  }
}

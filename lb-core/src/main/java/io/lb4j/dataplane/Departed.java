package io.lb4j.dataplane;

import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.service.LostFlows;

/**
 * A server that was removed and may have flows yet: what becomes of them, each with its next packet or when its time is
 * over. Immutable, shared; part of a {@link ForwardingTable}.
 */
public final class Departed {
  private final LostFlows fates;
  private final int[] timeoutTicks;

  /**
   * A server that is gone.
   *
   * @param fates of its flows
   * @param timeouts after which they are forgotten; no packet that is not forwarded puts that off
   */
  public Departed(LostFlows fates, FlowTimeouts timeouts) {
    this.fates = fates;
    this.timeoutTicks = CompiledService.ticks(timeouts);
  }

  LostFlows.Fate fate(boolean isTcp) {
    return fates.of(isTcp);
  }

  int timeoutTicks(FlowState state) {
    return timeoutTicks[state.ordinal()];
  }
}

package io.lb4j.dataplane;

import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.DirectForwarding;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Schedule;
import io.lb4j.service.VirtualService;
import java.time.Duration;
import java.util.Optional;

/**
 * A virtual service as the data path needs it. Immutable, shared, except for its persistence table, which is safe from
 * any thread.
 */
public final class CompiledService {
  private final int id;
  private final VirtualService declaration;
  private final ForwarderProvider forwarding;
  private final Schedule schedule;
  private final HashInputs hashInputs;
  private final int[] candidates;
  private final int[] timeoutTicks;
  private final PersistenceTable persistence;

  /**
   * Compiles a service.
   *
   * @param id 0 or more; kept over every change of the service
   * @param declaration what the operator declared
   * @param forwarding how its frames reach the servers
   * @param schedule over the candidates; null when there are none
   * @param candidates bindings of the servers that take new flows, in the schedule's order; not copied
   * @param persistence the service's clients; null without persistence
   */
  public CompiledService(
      int id,
      VirtualService declaration,
      ForwarderProvider forwarding,
      Schedule schedule,
      int[] candidates,
      PersistenceTable persistence) {
    this.id = id;
    this.declaration = declaration;
    this.forwarding = forwarding;
    this.schedule = schedule;
    this.hashInputs = declaration.scheduler().hashInputs();
    this.candidates = candidates;
    this.persistence = persistence;
    this.timeoutTicks = ticks(declaration.timeouts().orElseGet(forwarding::timeouts));
  }

  private static int[] ticks(FlowTimeouts timeouts) {
    FlowState[] states = FlowState.values();
    int[] ticks = new int[states.length];
    for (FlowState state : states) {
      ticks[state.ordinal()] = ticks(timeouts.of(state));
    }
    return ticks;
  }

  private static int ticks(Duration timeout) {
    return (int) ((timeout.toNanos() + FlowTable.TICK_NS - 1) / FlowTable.TICK_NS);
  }

  /**
   * The service's stable number.
   *
   * @return 0 or more
   */
  public int id() {
    return id;
  }

  /**
   * What the operator declared.
   *
   * @return immutable
   */
  public VirtualService declaration() {
    return declaration;
  }

  /**
   * How frames reach the servers.
   *
   * @return the method's implementation
   */
  public ForwarderProvider forwarding() {
    return forwarding;
  }

  /** Whether the flow table keeps the service's flows; else a translator keeps its sessions. */
  boolean isDirect() {
    return forwarding instanceof DirectForwarding;
  }

  /**
   * Whether the service takes frames.
   *
   * @return false when it is switched off
   */
  boolean enabled() {
    return declaration.enabled();
  }

  Schedule schedule() {
    return schedule;
  }

  HashInputs hashInputs() {
    return hashInputs;
  }

  int[] candidates() {
    return candidates;
  }

  int timeoutTicks(FlowState state) {
    return timeoutTicks[state.ordinal()];
  }

  PersistenceTable persistence() {
    return persistence;
  }

  /**
   * The clients that the service remembers.
   *
   * @return nothing without persistence
   */
  public Optional<PersistenceTable> clients() {
    return Optional.ofNullable(persistence);
  }
}

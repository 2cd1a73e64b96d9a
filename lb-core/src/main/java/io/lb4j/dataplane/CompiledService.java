package io.lb4j.dataplane;

import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.DirectForwarding;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.frame.FrameView;
import io.lb4j.schedule.HashInputs;
import io.lb4j.service.AccessList;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.ServicePolicies;
import io.lb4j.service.VirtualService;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A virtual service as the data path needs it. Immutable, shared, except for its persistence table, which is safe from
 * any thread.
 */
public final class CompiledService {
  private final int id;
  private final VirtualService declaration;
  private final ForwarderProvider forwarding;
  private final HashInputs hashInputs;
  private final Pool pool;
  private final Pool overflow;
  private final boolean bounded;
  private final boolean direct;
  private final boolean adopts;
  private final boolean retires;
  private final boolean enabled;
  private final boolean onePacket;
  private final boolean beginsPlainly;
  private final @Nullable AccessList access;
  private final int[] timeoutTicks;
  private final @Nullable ServiceClients clients;

  /**
   * Compiles a service.
   *
   * @param id 0 or more; kept over every change of the service
   * @param declaration what the operator declared
   * @param forwarding how its frames reach the servers
   * @param pool the servers that new flows are spread over
   * @param overflow the servers for new flows that limits refuse to the others
   * @param bounded whether a limit has to be asked before a flow begins
   * @param clients the service's clients; null without persistence
   */
  public CompiledService(
      int id,
      VirtualService declaration,
      ForwarderProvider forwarding,
      Pool pool,
      Pool overflow,
      boolean bounded,
      @Nullable ServiceClients clients) {
    this.id = id;
    this.declaration = declaration;
    this.forwarding = forwarding;
    this.hashInputs = declaration.scheduler().hashInputs();
    this.pool = pool;
    this.overflow = overflow;
    this.bounded = bounded;
    this.direct = forwarding instanceof DirectForwarding;
    this.adopts = declaration.adoptsConnections();
    ServicePolicies policies = declaration.policies();
    this.retires = policies.drain() == DrainBehavior.RETIRE_SESSIONS;
    this.access = policies.access().isEmpty() ? null : policies.access();
    this.clients = clients;
    this.enabled = declaration.enabled();
    this.onePacket = policies.onePacket();
    this.beginsPlainly = enabled && direct && !bounded && !onePacket && access == null;
    this.timeoutTicks = ticks(declaration.timeouts().orElseGet(forwarding::timeouts));
  }

  static int[] ticks(FlowTimeouts timeouts) {
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

  /**
   * Who keeps the service's flows.
   *
   * @return true when the flow table does; else a translator keeps its sessions
   */
  public boolean isDirect() {
    return direct;
  }

  /**
   * Whether the service takes frames.
   *
   * @return false when it is switched off
   */
  boolean enabled() {
    return enabled;
  }

  Pool pool() {
    return pool;
  }

  Pool overflow() {
    return overflow;
  }

  /** Whether a new flow has to take a place first. */
  boolean isBounded() {
    return bounded;
  }

  /** Whether TCP segments of unknown connections are scheduled. */
  boolean adopts() {
    return adopts;
  }

  /** Whether a visit of a draining server's client is not to extend its persistence. */
  boolean retiresClients() {
    return retires;
  }

  boolean onePacket() {
    return onePacket;
  }

  /** Whether a flow may begin without more being asked than which server is to serve it. */
  boolean beginsPlainly() {
    return beginsPlainly;
  }

  boolean admitsEverybody() {
    return access == null;
  }

  /** Whether a client may use the service. */
  boolean admits(FrameView view) {
    return access == null || access.allows(view.isV6(), view.sourceHigh(), view.sourceLow());
  }

  HashInputs hashInputs() {
    return hashInputs;
  }

  int timeoutTicks(FlowState state) {
    return timeoutTicks[state.ordinal()];
  }

  @Nullable ServiceClients knownClients() {
    return clients;
  }

  /**
   * The clients that the service remembers.
   *
   * @return nothing without persistence
   */
  public Optional<ServiceClients> clients() {
    return Optional.ofNullable(clients);
  }
}

package io.lb4j.dataplane;

import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.KnownClients;
import io.lb4j.schedule.HashInputs;
import io.lb4j.service.Overflow;
import org.jspecify.annotations.Nullable;

/**
 * Who serves a new flow: the client's own server while it may, else the scheduler's choice, within the limits. Owned by
 * one worker.
 */
final class ServerChoice {
  private final WorkerState state;
  private final KnownClients knownClients;
  private Verdict refusal = Verdict.NO_SERVER;

  ServerChoice(WorkerState state) {
    this.state = state;
    this.knownClients = new KnownClients(state.clientSeed);
  }

  /** The server for a new flow, its place taken where there are limits; null when there is none, see refusal. */
  @Nullable Binding choose(CompiledService service, FrameView view) {
    refusal = Verdict.NO_SERVER;
    Binding known = knownServer(service, view);
    if (service.isBounded()) {
      return chooseWithPlace(service, view, known);
    }
    return known != null ? known : state.runtimes[service.id()].pick(hash(service, view), state.nowNs);
  }

  /** The binding for a new flow of a service without limits and without persistence; 0 when there is none. */
  int pick(ServiceRuntime runtime, FrameView view) {
    return runtime.pool().pickBinding(hash(runtime.hashInputs(), view), state.nowNs);
  }

  /** Asks for the memory of the client's place; a word to be added up. */
  int touch(ServiceClients clients, FrameView view) {
    return clients.touch(view, knownClients);
  }

  /** The binding of the server that persistence names, while it may be visited; else 0. */
  int known(CompiledService service, FrameView view) {
    Binding known = knownServer(service, view);
    return known == null ? 0 : known.id();
  }

  /** Why the last choice was none. */
  Verdict refusal() {
    return refusal;
  }

  private @Nullable Binding chooseWithPlace(CompiledService service, FrameView view, @Nullable Binding known) {
    if (known != null && known.takePlace()) {
      return known;
    }
    ServiceRuntime runtime = state.runtimes[service.id()];
    long hash = hash(service, view);
    Binding chosen = runtime.pool().pickWithPlace(hash, state.nowNs);
    if (chosen == null && service.declaration().policies().overflow() == Overflow.STANDBY) {
      chosen = runtime.overflow().pickWithPlace(hash, state.nowNs);
    }
    if (chosen == null && service.pool().candidates().length != 0) {
      refusal = Verdict.CONNECTION_LIMIT;
    }
    return chosen;
  }

  /** The server that persistence names, while it may be visited. */
  private @Nullable Binding knownServer(CompiledService service, FrameView view) {
    ServiceClients clients = service.knownClients();
    if (clients == null) {
      return null;
    }
    Binding binding = state.table.binding(clients.find(view, !service.retiresClients(), knownClients, state.nowNs));
    return binding != null && binding.standing().honorsClients() && binding.service() == service ? binding : null;
  }

  /**
   * Keeps the client on its server; a visit that persistence itself has sent extends it unless the server retires. An
   * echo request says nothing of where its sender is served.
   */
  void remember(FrameView view, CompiledService service, Binding binding) {
    ServiceClients clients = service.knownClients();
    if (clients != null && binding.standing().extendsClients() && view.kind() != FrameKind.ICMP) {
      clients.remember(view, binding.id(), knownClients, state.nowNs);
    }
  }

  private long hash(CompiledService service, FrameView view) {
    return hash(service.hashInputs(), view);
  }

  private long hash(HashInputs inputs, FrameView view) {
    return inputs.isEmpty()
        ? 0
        : inputs.hash(
            state.schedulerSeed,
            view.sourceHigh(),
            view.sourceLow(),
            view.destinationHigh(),
            view.destinationLow(),
            view.ports(),
            view.protocol());
  }
}

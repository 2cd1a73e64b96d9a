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
  private int clientsServer; // what persistence knew of the client at hand: a number of its table

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
    if (known != null) {
      return known;
    }
    Binding picked = state.runtimes[service.id()].pick(hash(service, view), state.nowNs);
    return picked == null ? null : agreed(service, view, picked);
  }

  /** The binding for a new flow of a service without limits whose client is not known; 0 when there is none. */
  int pick(ServiceRuntime runtime, FrameView view) {
    int picked = runtime.pool().pickBinding(hash(runtime.hashInputs(), view), state.nowNs);
    return picked == 0 || runtime.clients() == null
        ? picked
        : agreed(runtime.service(), view, state.table.binding(picked)).id();
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
    return chosen == null ? null : agreed(service, view, chosen);
  }

  /**
   * The server of a client that was given a new one. Other workers may be about to begin flows of the same client: all
   * take the server that was put down first, unless it has no place.
   */
  private Binding agreed(CompiledService service, FrameView view, Binding chosen) {
    if (!remembers(service, view, chosen)) {
      return chosen;
    }
    ServiceClients clients = service.knownClients();
    int own = clients.number(chosen.id());
    int before = clientsServer;
    while (true) {
      int number = clients.keep(view, before, own, knownClients, state.nowNs);
      if (number == own) {
        return chosen;
      }
      Binding first = honored(service, clients.binding(number));
      if (first != null) {
        return chosen.movePlace(first) ? first : chosen;
      }
      before = number; // it may not be visited
    }
  }

  /** The server that persistence names, while it may be visited. */
  private @Nullable Binding knownServer(CompiledService service, FrameView view) {
    ServiceClients clients = service.knownClients();
    if (clients == null) {
      return null;
    }
    clientsServer = clients.find(view, !service.retiresClients(), knownClients, state.nowNs);
    return honored(service, clients.binding(clientsServer));
  }

  private @Nullable Binding honored(CompiledService service, int id) {
    Binding binding = state.table.binding(id);
    return binding != null && binding.standing().honorsClients() && binding.service() == service ? binding : null;
  }

  /**
   * Keeps the client on its server; a visit that persistence itself has sent extends it unless the server retires. An
   * echo request says nothing of where its sender is served.
   */
  void remember(FrameView view, CompiledService service, Binding binding) {
    if (remembers(service, view, binding)) {
      int number = service.knownClients().number(binding.id());
      service.knownClients().keep(view, number, number, knownClients, state.nowNs);
    }
  }

  private static boolean remembers(CompiledService service, FrameView view, Binding binding) {
    return service.knownClients() != null && binding.standing().extendsClients() && view.kind() != FrameKind.ICMP;
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

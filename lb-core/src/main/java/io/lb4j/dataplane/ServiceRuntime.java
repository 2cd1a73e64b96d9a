package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.forward.Forwarder;
import io.lb4j.schedule.HashInputs;
import org.jspecify.annotations.Nullable;

/** What one worker keeps of its own for a service: pickers and forwarder. Owned by that worker. */
final class ServiceRuntime {
  private final CompiledService service;
  private final HashInputs hashInputs;
  private final @Nullable ServiceClients clients;
  private final Forwarder forwarder;
  private final PoolPicker pool;
  private final PoolPicker overflow;

  ServiceRuntime(
      CompiledService service,
      ForwardingTable table,
      WorkerCounters counters,
      Forwarder forwarder,
      @Nullable ServiceRuntime previous) {
    this.service = service;
    this.hashInputs = service.hashInputs();
    this.clients = service.knownClients();
    this.forwarder = forwarder;
    this.pool = new PoolPicker(service.pool(), table, counters, previous == null ? null : previous.pool);
    this.overflow = new PoolPicker(service.overflow(), table, counters, previous == null ? null : previous.overflow);
  }

  CompiledService service() {
    return service;
  }

  HashInputs hashInputs() {
    return hashInputs;
  }

  /** The service's clients; null without persistence. */
  @Nullable ServiceClients clients() {
    return clients;
  }

  Forwarder forwarder() {
    return forwarder;
  }

  PoolPicker pool() {
    return pool;
  }

  PoolPicker overflow() {
    return overflow;
  }

  /** The server for a new flow; null when none is eligible. */
  @Nullable Binding pick(long hash, long nowNs) {
    return pool.pick(hash, nowNs);
  }
}

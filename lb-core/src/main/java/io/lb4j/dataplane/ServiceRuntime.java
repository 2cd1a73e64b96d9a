package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.forward.Forwarder;
import org.jspecify.annotations.Nullable;

/** What one worker keeps of its own for a service: pickers and forwarder. Owned by that worker. */
final class ServiceRuntime {
  private final CompiledService service;
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
    this.forwarder = forwarder;
    this.pool = new PoolPicker(service.pool(), table, counters, previous == null ? null : previous.pool);
    this.overflow = new PoolPicker(service.overflow(), table, counters, previous == null ? null : previous.overflow);
  }

  CompiledService service() {
    return service;
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

package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.forward.Forwarder;

/** What one worker keeps of its own for a service: pickers and forwarder. Owned by that worker. */
final class ServiceRuntime {
  private final CompiledService service;
  private final Forwarder forwarder;
  private final PoolPicker pool;
  private final PoolPicker overflow;

  ServiceRuntime(CompiledService service, WorkerCounters counters, Forwarder forwarder, ServiceRuntime previous) {
    this.service = service;
    this.forwarder = forwarder;
    this.pool = new PoolPicker(service.pool(), counters, previous == null ? null : previous.pool);
    this.overflow = new PoolPicker(service.overflow(), counters, previous == null ? null : previous.overflow);
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

  /** The binding of the server for a new flow; 0 when none is eligible. */
  int pick(long hash) {
    return pool.pick(hash);
  }
}

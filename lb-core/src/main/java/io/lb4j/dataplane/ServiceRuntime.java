package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.forward.Forwarder;
import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Picker;

/** What one worker keeps of its own for a service: picker and forwarder. Owned by that worker. */
final class ServiceRuntime implements ActiveFlows {
  private final CompiledService service;
  private final WorkerCounters counters;
  private final Forwarder forwarder;
  private final Picker picker;

  ServiceRuntime(CompiledService service, WorkerCounters counters, Forwarder forwarder, ServiceRuntime previous) {
    this.service = service;
    this.counters = counters;
    this.forwarder = forwarder;
    boolean unchanged = previous != null && previous.service.schedule() == service.schedule();
    Picker before = previous == null ? null : previous.picker;
    this.picker = unchanged || service.schedule() == null ? before : service.schedule().newPicker(before);
  }

  CompiledService service() {
    return service;
  }

  Forwarder forwarder() {
    return forwarder;
  }

  @Override
  public int of(int candidate) {
    return counters.active(service.candidates()[candidate]);
  }

  /** The binding of the server for a new flow; 0 when none is eligible. */
  int pick(long hash) {
    int[] candidates = service.candidates();
    return candidates.length == 0 ? 0 : candidates[picker.pick(hash, this)];
  }
}

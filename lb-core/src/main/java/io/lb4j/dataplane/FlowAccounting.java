package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowListener;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.persistence.PersistenceTable;

/**
 * Keeps counters and persistence in step with the flow table: a flow that ends or lives on tells its server's counts
 * and its client's entry. Owned by one worker.
 */
final class FlowAccounting implements FlowListener, SessionAccounting {
  private final WorkerCounters counters;
  private ForwardingTable table;
  private long nowNs;
  private boolean refreshing;

  FlowAccounting(WorkerCounters counters) {
    this.counters = counters;
  }

  void adopt(ForwardingTable newTable) {
    this.table = newTable;
  }

  /** The burst's time. */
  void at(long burstNs) {
    this.nowNs = burstNs;
  }

  /** The burst's time; {@code refresh} when this round of the sweep is one that refreshes persistence. */
  void at(long burstNs, boolean refresh) {
    this.nowNs = burstNs;
    this.refreshing = refresh;
  }

  @Override
  public int timeoutTicks(int binding, FlowState state) {
    Binding found = table.binding(binding);
    return found == null ? -1 : found.service().timeoutTicks(state);
  }

  @Override
  public void onEnd(FlowTable flows, int handle, End end) {
    int binding = flows.binding(handle);
    counters.onFlowEnd(binding);
    if (!flows.state(handle).isClosing()) {
      counters.onActiveChange(binding, -1);
    }
    if (end != End.REMOVED) {
      refresh(flows, handle, binding);
    }
  }

  @Override
  public void onAlive(FlowTable flows, int handle) {
    if (refreshing) {
      refresh(flows, handle, flows.binding(handle));
    }
  }

  private void refresh(FlowTable flows, int handle, int binding) {
    refresh(binding, flows.isV6(handle), flows.sourceHigh(handle), flows.sourceLow(handle));
  }

  private void refresh(int binding, boolean v6, long clientHigh, long clientLow) {
    Binding found = table.binding(binding);
    PersistenceTable clients = found == null ? null : found.service().persistence();
    if (clients != null) {
      clients.refresh(v6, clientHigh, clientLow, binding, nowNs);
    }
  }

  @Override
  public void onBegin(int binding) {
    counters.onFlowBegin(binding);
  }

  @Override
  public void onActiveChange(int binding, int change) {
    counters.onActiveChange(binding, change);
  }

  @Override
  public void onEnd(int binding, boolean active, boolean v6, long clientHigh, long clientLow, boolean replaced) {
    counters.onFlowEnd(binding);
    if (active) {
      counters.onActiveChange(binding, -1);
    }
    if (!replaced) {
      refresh(binding, v6, clientHigh, clientLow);
    }
  }

  @Override
  public void onAlive(int binding, boolean v6, long clientHigh, long clientLow) {
    refresh(binding, v6, clientHigh, clientLow);
  }
}

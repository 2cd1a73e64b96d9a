package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowListener;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.service.Role;
import org.jspecify.annotations.Nullable;

/**
 * Keeps counters and persistence in step with the flow table: a flow that ends or lives on tells its server's counts
 * and its client's entry. Owned by one worker.
 */
final class FlowAccounting implements FlowListener, SessionAccounting {
  private final WorkerCounters counters;
  private ForwardingTable table;
  private long nowNs;
  private boolean refreshing;
  private @Nullable Binding placeTaken; // of the flow that is about to begin

  FlowAccounting(WorkerCounters counters) {
    this.counters = counters;
  }

  @Override
  public long way(int binding) {
    return table.plainSession(binding);
  }

  @Override
  public void onFrame(int binding, boolean reply, int length) {
    if (reply) {
      counters.onReplyFrame(binding, length);
    } else {
      counters.onServerFrame(binding, length);
    }
  }

  /** Takes over a snapshot, and with it the limits of other services and servers. */
  void adopt(ForwardingTable newTable) {
    if (table != null && (table.isBounded() || newTable.isBounded())) {
      int highest = Math.max(table.highestBinding(), newTable.highestBinding());
      for (int id = 1; id <= highest; id++) {
        Binding.carryOver(table.binding(id), newTable.binding(id), counters.active(id));
      }
    }
    this.table = newTable;
  }

  /** A flow is about to begin whose server was chosen; its place was taken where there are limits. */
  void expect(Binding binding) {
    settle(); // a burst may have failed in between
    placeTaken = binding.isBounded() ? binding : null;
  }

  /** The expected flow has begun by now, or it never will. */
  void settle() {
    if (placeTaken != null) {
      placeTaken.giveUpPlace();
      placeTaken = null;
    }
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
    if (found != null) {
      return found.service().timeoutTicks(state);
    }
    Departed gone = table.departed(binding);
    return gone == null ? -1 : gone.timeoutTicks(state);
  }

  @Override
  public boolean isKnown(int binding) {
    return table.binding(binding) != null;
  }

  @Override
  public void onEnd(FlowTable flows, int handle, End end) {
    int binding = flows.binding(handle);
    FlowState state = flows.state(handle);
    if (state == FlowState.SYN && end == End.EXPIRED) {
      onSynRepeated(binding);
    }
    onEnd(binding, !state.isClosing());
    if (end != End.REMOVED) {
      refresh(flows, handle, binding);
    }
  }

  private void onEnd(int binding, boolean active) {
    counters.onFlowEnd(binding);
    if (active) {
      onActiveChange(binding, -1);
    }
  }

  @Override
  public void onAlive(FlowTable flows, int handle) {
    if (refreshing) {
      refresh(flows, handle, flows.binding(handle));
    }
  }

  private void refresh(FlowTable flows, int handle, int binding) {
    int port = flows.ports(handle) & 0xFFFF;
    refresh(binding, flows.isV6(handle), flows.sourceHigh(handle), flows.sourceLow(handle), port);
  }

  private void refresh(int binding, boolean v6, long clientHigh, long clientLow, int port) {
    Binding found = table.binding(binding);
    ServiceClients clients = found == null ? null : found.service().knownClients();
    if (clients != null && found.standing().extendsClients()) {
      clients.refresh(v6, clientHigh, clientLow, port, binding, nowNs);
    }
  }

  /** An expected flow keeps its place; one that is taken over from elsewhere gets one without asking. */
  @Override
  public void onBegin(int binding) {
    counters.onFlowBegin(binding);
    if (!keepPlace(binding)) {
      onPlaceChange(binding, 1);
    }
  }

  @Override
  public @Nullable ForwardTarget target(int binding) {
    Binding found = table.binding(binding);
    return found == null ? null : found.target();
  }

  /** It takes its place now, also beyond a limit: the connection is there. */
  @Override
  public void onRestored(int binding, boolean active) {
    counters.onFlowRestored(binding);
    if (active) {
      onActiveChange(binding, 1);
    }
  }

  @Override
  public void onActiveChange(int binding, int change) {
    counters.onActiveChange(binding, change);
    if (change < 0 || !keepPlace(binding)) {
      onPlaceChange(binding, change);
    }
  }

  private boolean keepPlace(int binding) {
    Binding taken = placeTaken;
    if (taken == null || taken.id() != binding) {
      return false;
    }
    placeTaken = null;
    taken.keepPlace();
    return true;
  }

  private void onPlaceChange(int binding, int change) {
    Binding found = table.binding(binding);
    if (found != null && found.isBounded()) {
      found.onActiveChange(change);
    }
  }

  /** A flow that had closed needs a place like a new one. */
  @Override
  public boolean mayLiveAgain(int binding) {
    Binding found = table.binding(binding);
    if (found == null || !found.isBounded()) {
      return true;
    }
    if (!found.takePlace()) {
      return false;
    }
    placeTaken = found;
    return true;
  }

  @Override
  public void onEnd(
      int binding, boolean active, boolean v6, long clientHigh, long clientLow, int port, boolean replaced) {
    onEnd(binding, active);
    if (!replaced) {
      refresh(binding, v6, clientHigh, clientLow, port);
    }
  }

  @Override
  public void onAlive(int binding, boolean v6, long clientHigh, long clientLow, int port) {
    refresh(binding, v6, clientHigh, clientLow, port);
  }

  @Override
  public boolean resetsOnIdle(int binding) {
    Binding found = table.binding(binding);
    boolean speaks = table.role() == Role.ACTIVE; // a passive balancer resets nothing, another has the connections
    return speaks && found != null && found.service().declaration().policies().resetOnIdle();
  }

  @Override
  public void onIdle(int binding, boolean told) {
    counters.onIdle(binding, told);
  }

  @Override
  public void onServerAnswered(int binding, long elapsedNs) {
    counters.onServerAnswered(binding, elapsedNs);
  }

  @Override
  public void onSynRepeated(int binding) {
    counters.onServerSilent(binding);
  }

  @Override
  public void onServerRefused(int binding) {
    counters.onServerRefused(binding);
  }
}

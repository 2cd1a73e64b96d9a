package io.lb4j.control;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import io.lb4j.topology.Topology;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Tells of servers that refuse every connection, by looking at the workers' counts once a second: the gateway sees the
 * resets. Told when it begins and every minute while it lasts; a server that takes one connection is not told. Owned by
 * the control thread.
 */
public final class RefusalEvents implements ControlTask {
  private static final long LOOK_NS = 1_000_000_000L;
  private static final long AGAIN_NS = 60_000_000_000L;
  private static final int LEAST = 3;

  private final Topology topology;
  private final Supplier<ForwardingTable> published;
  private final IntFunction<HandshakeCounts> counts;
  private final EventListener events;
  private Map<Integer, Watch> watches = new HashMap<>(); // by binding
  private boolean begun;
  private long nextNs;

  /** What was seen of one server of one service. */
  private static final class Watch {
    HandshakeCounts last;
    long refused; // since a connection was taken last
    boolean told;
    long toldNs;
  }

  /**
   * A watch that has seen nothing yet.
   *
   * @param topology knows the interfaces' names
   * @param published reads the latest snapshot
   * @param counts what the workers count under a binding id, over all of them
   * @param events takes the events
   */
  public RefusalEvents(
      Topology topology,
      Supplier<ForwardingTable> published,
      IntFunction<HandshakeCounts> counts,
      EventListener events) {
    this.topology = topology;
    this.published = published;
    this.counts = counts;
    this.events = events;
  }

  @Override
  public long tick(long nowNs) {
    if (begun && nextNs - nowNs > 0) {
      return nextNs; // control ticks with every probe that ends
    }
    begun = true;
    nextNs = nowNs + LOOK_NS;
    ForwardingTable table = published.get();
    Map<Integer, Watch> next = new HashMap<>();
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      if (binding != null) {
        Watch watch = watches.getOrDefault(id, new Watch());
        next.put(id, watch);
        look(binding, watch, counts.apply(id), nowNs);
      }
    }
    watches = next;
    return nextNs;
  }

  private void look(Binding binding, Watch watch, HandshakeCounts now, long nowNs) {
    HandshakeCounts since = watch.last == null ? HandshakeCounts.ZERO : now.minus(watch.last);
    watch.last = now;
    if (since.answered() > 0) {
      watch.refused = 0;
      watch.told = false;
      return;
    }
    watch.refused += since.refused();
    boolean due = !watch.told || nowNs - watch.toldNs >= AGAIN_NS;
    if (since.refused() > 0 && watch.refused >= LEAST && due) {
      watch.told = true;
      watch.toldNs = nowNs;
      tell(binding, watch.refused);
    }
  }

  private void tell(Binding binding, long refused) {
    String service = binding.service().declaration().name();
    events.onEvent(
        new Event.ServerSetupFault(
            "port-closed",
            topology.links().get(binding.target().link()).name(),
            binding.target().address(),
            binding.target().address(),
            binding.serverName() + " of " + service + " refused " + refused + " connections and took none"));
  }
}

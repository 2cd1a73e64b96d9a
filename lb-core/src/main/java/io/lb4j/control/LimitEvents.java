package io.lb4j.control;

import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.ConnectionCount;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Tells when limits of connections are reached and open again, by looking at them from time to time: the workers that
 * meet a limit tell nobody. One that was reached and left between two looks is told all the same. Owned by the control
 * thread.
 */
public final class LimitEvents implements ControlTask {
  private static final long LOOK_NS = 100_000_000L;
  private static final long IDLE_NS = 1_000_000_000L;

  private final Supplier<ForwardingTable> published;
  private final EventListener events;
  private Map<Whose, Watch> watches = new LinkedHashMap<>();
  private ForwardingTable table;

  private record Whose(String service, Optional<String> server) {}

  private static final class Watch {
    final ConnectionCount count;
    int closures; // as they were told
    boolean closed; // as it was told

    Watch(ConnectionCount count) {
      this.count = count;
    }
  }

  /**
   * A watch on no limit yet.
   *
   * @param published reads the latest snapshot
   * @param events takes the events
   */
  public LimitEvents(Supplier<ForwardingTable> published, EventListener events) {
    this.published = published;
    this.events = events;
  }

  @Override
  public long tick(long nowNs) {
    ForwardingTable latest = published.get();
    if (latest != table) {
      table = latest;
      watches = adopt(latest);
    }
    watches.forEach(this::look);
    return nowNs + (watches.isEmpty() ? IDLE_NS : LOOK_NS);
  }

  private Map<Whose, Watch> adopt(ForwardingTable latest) {
    Map<Whose, Watch> next = new LinkedHashMap<>();
    for (int id = 1; id <= latest.highestBinding(); id++) {
      Binding binding = latest.binding(id);
      if (binding != null) {
        String service = binding.service().declaration().name();
        binding.serviceCount().ifPresent(count -> adopt(next, new Whose(service, Optional.empty()), count));
        binding.ownCount().ifPresent(count -> adopt(next, new Whose(service, Optional.of(binding.serverName())), count));
      }
    }
    return next;
  }

  private void adopt(Map<Whose, Watch> next, Whose whose, ConnectionCount count) {
    Watch before = watches.get(whose);
    if (before != null && before.count == count) {
      next.put(whose, before);
    } else {
      Watch added = next.computeIfAbsent(whose, none -> new Watch(count));
      added.closed = before != null && before.closed;
    }
  }

  private void look(Whose whose, Watch watch) {
    ConnectionCount.Reading now = watch.count.read();
    boolean reachedAgain = now.closures() != watch.closures;
    if (watch.closed && (reachedAgain || !now.closed())) {
      tell(whose, watch, false);
    }
    if (reachedAgain || now.closed() && !watch.closed) {
      tell(whose, watch, true);
    }
    if (watch.closed && !now.closed()) {
      tell(whose, watch, false);
    }
    watch.closures = now.closures();
  }

  private void tell(Whose whose, Watch watch, boolean reached) {
    watch.closed = reached;
    events.onEvent(new Event.ConnectionLimit(whose.service, whose.server, watch.count.limit(), reached));
  }
}

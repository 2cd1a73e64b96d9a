package io.lb4j.control;

import io.lb4j.counters.ServerCounts;
import io.lb4j.flow.FlowTable;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;

/**
 * Stable numbers for servers of services. Guarded by the registry's lock. A number outlives every change of its server;
 * after removal it is given out again only when no worker can hold a flow of it, that is when all have swept their
 * tables under a snapshot without it.
 */
final class BindingIds {
  private record Server(String service, String identity) {}

  private record Retired(int id, long generation) {}

  private final Map<Server, Integer> ids = new HashMap<>();
  private final Map<Integer, ServerCounts> baselines = new HashMap<>(); // counted, but not the present server's
  private final Map<Integer, ServerCounts> carried = new HashMap<>(); // under a server's other numbers
  private final Deque<Retired> retired = new ArrayDeque<>();
  private final LongSupplier sweptGeneration;
  private final IntFunction<ServerCounts> counts;
  private int next = 1;

  /**
   * No numbers given out.
   *
   * @param sweptGeneration the youngest generation that all workers have swept under
   * @param counts what the workers count under a number
   */
  BindingIds(LongSupplier sweptGeneration, IntFunction<ServerCounts> counts) {
    this.sweptGeneration = sweptGeneration;
    this.counts = counts;
  }

  int of(String service, String identity) {
    return ids.computeIfAbsent(new Server(service, identity), server -> allocate());
  }

  Optional<Integer> find(String service, String identity) {
    return Optional.ofNullable(ids.get(new Server(service, identity)));
  }

  void forEach(BiConsumer<String, Integer> consumer) {
    ids.forEach((server, id) -> consumer.accept(server.service, id));
  }

  private int allocate() {
    Retired oldest = retired.peek();
    if (oldest != null && sweptGeneration.getAsLong() >= oldest.generation) {
      retired.remove();
      baselines.put(oldest.id, counts.apply(oldest.id));
      carried.remove(oldest.id);
      return oldest.id;
    }
    if (next > FlowTable.MAX_BINDING) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "servers", next, "more than " + FlowTable.MAX_BINDING + " in all services");
    }
    return next++;
  }

  /** Takes back the numbers that a snapshot no longer uses. */
  void retain(Set<Integer> inUse, long generation) {
    Set<Integer> gone = new java.util.TreeSet<>(ids.values());
    gone.removeAll(inUse);
    ids.values().removeAll(gone);
    gone.forEach(id -> retired.add(new Retired(id, generation)));
  }

  int highest() {
    return next - 1;
  }

  /** What a server has under all its numbers that are in use: of its service, and of the service's former method. */
  ServerCounts counts(List<String> owners, String identity, Set<Integer> inUse) {
    ServerCounts sum = ServerCounts.ZERO;
    for (String owner : owners) {
      Integer id = ids.get(new Server(owner, identity));
      if (id != null && inUse.contains(id)) {
        sum = sum.plus(own(id)).plus(carried.getOrDefault(id, ServerCounts.ZERO));
      }
    }
    return sum;
  }

  /** What was counted under the number before its present server had it. */
  ServerCounts baseline(int id) {
    return baselines.getOrDefault(id, ServerCounts.ZERO);
  }

  private ServerCounts own(int id) {
    return counts.apply(id).since(baseline(id));
  }

  /** A server that loses a number and keeps another takes along what was counted, so that its counts never fall. */
  void carryOver(List<String> owners, String identity, Set<Integer> wereInUse, Set<Integer> inUse) {
    List<Integer> all = owners.stream().flatMap(owner -> find(owner, identity).stream()).toList();
    for (Integer lost : all) {
      if (wereInUse.contains(lost) && !inUse.contains(lost)) {
        all.stream().filter(inUse::contains).findFirst().ifPresent(kept -> carryOver(lost, kept));
      }
    }
  }

  private void carryOver(int from, int to) {
    ServerCounts all = own(from).plus(carried.getOrDefault(from, ServerCounts.ZERO)); // it may have taken some itself
    ServerCounts lessThanNothing = ServerCounts.ZERO.since(all);
    carried.merge(to, ServerCounts.ZERO.since(lessThanNothing), ServerCounts::plus);
    carried.remove(from);
    baselines.put(from, counts.apply(from));
  }
}

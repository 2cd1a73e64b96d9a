package io.lb4j.state;

import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.dataplane.KnownFlows;
import io.lb4j.flow.FlowMatch;
import io.lb4j.flow.FlowRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Lists and ends flows of all workers. Safe from any thread as far as {@link Workers} is. */
final class FlowQueries {
  /** Places of a table that a worker looks at between two bursts: some fifty microseconds, as what follows. */
  private static final int PLACES = 4096;

  /** Flows that it lists. */
  private static final int FLOWS = 512;

  /** Places whose flows it ends. */
  private static final int PLACES_TO_END = 1024;

  private static final int WORKER_SHIFT = 48;
  private static final long PLACE_MASK = (1L << WORKER_SHIFT) - 1;

  /** Flows and sessions have places of 31 bits; bit 32 tells them apart. */
  private static final long NO_PLACE = PLACE_MASK ^ (1L << 32 | Integer.MAX_VALUE);

  private final Workers workers;
  private final Supplier<ForwardingTable> published;

  FlowQueries(Workers workers, Supplier<ForwardingTable> published) {
    this.workers = workers;
    this.published = published;
  }

  /** Flows from a position on, at most so many. */
  FlowPage page(FlowFilter filter, long position, int limit) {
    int worker = (int) (position >>> WORKER_SHIFT);
    boolean isPlace = position >= 0 && (position & NO_PLACE) == 0; // it may come from anybody, by way of the host
    if (!isPlace || worker >= workers.count() || limit < 1) {
      throw new IllegalArgumentException("position " + position + ", limit " + limit);
    }
    FlowMatch match = filter.match(published.get());
    List<FlowEntry> entries = new ArrayList<>();
    long place = position & PLACE_MASK;
    while (worker < workers.count()) {
      int number = worker;
      Gathering<FlowEntry> gathering =
          new Gathering<>(match, place, limit - entries.size(), (record, known) -> entry(record, known, number));
      workers.run(worker, gathering);
      entries.addAll(gathering.found);
      if (gathering.place >= 0) {
        return new FlowPage(entries, (long) worker << WORKER_SHIFT | gathering.place);
      }
      worker++;
      place = 0;
      if (entries.size() >= limit && worker < workers.count()) {
        return new FlowPage(entries, (long) worker << WORKER_SHIFT);
      }
    }
    return new FlowPage(entries, -1);
  }

  private static FlowEntry entry(FlowRecord record, KnownFlows known, int worker) {
    Binding binding = known.binding(record.binding());
    return new FlowEntry(
        record.kind(),
        record.protocol(),
        record.source(),
        record.sourcePort(),
        record.destination(),
        record.destinationPort(),
        record.translated(),
        record.translatedPort(),
        binding == null ? null : binding.service().declaration().name(),
        binding == null ? null : binding.serverName(),
        record.state(),
        Duration.ofNanos(record.idleNs()),
        worker);
  }

  /** Makes something of a record under the worker's own snapshot. */
  @FunctionalInterface
  interface Reader<T> {
    T read(FlowRecord record, KnownFlows known);
  }

  /** Collects flows of one worker until there are enough or the worker has no more. */
  static final class Gathering<T> implements Workers.Step {
    final List<T> found = new ArrayList<>();
    long place; // negative: through

    private final FlowMatch match;
    private final int most;
    private final Reader<T> reader;

    Gathering(FlowMatch match, long place, int most, Reader<T> reader) {
      this.match = match;
      this.place = place;
      this.most = most;
      this.reader = reader;
    }

    @Override
    public boolean run(DataPath path, long nowNs) {
      KnownFlows known = path.known();
      int listed = Math.min(FLOWS, most - found.size());
      place = known.list(place, PLACES, listed, match, record -> found.add(reader.read(record, known)));
      return place >= 0 && found.size() < most;
    }
  }

  /** Ends flows of all workers; answers how many. */
  long end(FlowFilter filter) {
    FlowMatch match = filter.match(published.get());
    List<Ending> endings = new ArrayList<>();
    for (int worker = 0; worker < workers.count(); worker++) {
      endings.add(new Ending(match));
    }
    workers.runAll(List.copyOf(endings));
    return endings.stream().mapToLong(ending -> ending.count).sum();
  }

  /** Ends the flows of one worker. */
  private static final class Ending implements Workers.Step {
    private final FlowMatch match;
    private long place;
    private long count;

    Ending(FlowMatch match) {
      this.match = match;
    }

    @Override
    public boolean run(DataPath path, long nowNs) {
      place = path.known().end(place, PLACES_TO_END, match, ended -> count += ended);
      return place >= 0;
    }
  }
}

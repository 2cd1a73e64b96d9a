package io.lb4j.core;

import io.lb4j.control.WorkerView;
import io.lb4j.counters.HandshakeCounts;
import io.lb4j.counters.LinkCounts;
import io.lb4j.counters.ServerCounts;
import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.Verdict;
import java.util.List;
import java.util.function.Supplier;

/** Sums over the workers, of what control asks for again and again. Safe from any thread. */
final class WorkerTotals implements WorkerView {
  private final List<DataPath> workers;
  private final Supplier<List<WorkerCounters>> others;

  /** Of workers that may still be added; {@code others} count frames beside them. */
  WorkerTotals(List<DataPath> workers, Supplier<List<WorkerCounters>> others) {
    this.workers = workers;
    this.others = others;
  }

  HandshakeCounts handshakes(int binding) {
    HandshakeCounts sum = HandshakeCounts.ZERO;
    for (DataPath worker : workers) {
      sum = sum.plus(worker.counters().handshakes(binding));
    }
    return sum;
  }

  @Override
  public ServerCounts server(int binding) {
    ServerCounts sum = ServerCounts.ZERO;
    for (DataPath worker : workers) {
      sum = sum.plus(worker.counters().server(binding));
    }
    return sum;
  }

  LinkCounts link(int link) {
    LinkCounts sum = LinkCounts.ZERO;
    for (DataPath worker : workers) {
      sum = sum.plus(worker.counters().link(link));
    }
    for (WorkerCounters other : others.get()) {
      sum = sum.plus(other.link(link));
    }
    return sum;
  }

  long evictions() {
    return workers.stream().mapToLong(DataPath::evictions).sum();
  }

  /** New flows that found no room in a table. */
  long refusedFlows(int links) {
    long sum = 0;
    for (DataPath worker : workers) {
      for (int link = 0; link < links; link++) {
        sum += worker.counters().verdicts(link, Verdict.FLOW_TABLE_FULL);
        sum += worker.counters().verdicts(link, Verdict.EMBRYONIC_LIMIT);
      }
    }
    return sum;
  }

  @Override
  public long adoptedGeneration() {
    return workers.stream().mapToLong(DataPath::adoptedGeneration).min().orElse(0);
  }

  @Override
  public long sweptGeneration() {
    return workers.stream().mapToLong(DataPath::sweptGeneration).min().orElse(0);
  }
}

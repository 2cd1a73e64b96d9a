package io.lb4j.benchmarks;

import io.lb4j.persistence.PersistenceTable;
import io.lb4j.persistence.SourceIpPersistence;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What persistence adds to a new flow, for clients that are known, in random order. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(PersistenceBenchmark.CLIENTS_AT_ONCE)
@Fork(value = 2, jvmArgsAppend = {"-Xms4g", "-Xmx4g"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class PersistenceBenchmark {
  static final int CLIENTS_AT_ONCE = 4096;

  private static final long FIRST_CLIENT = 0xC612_0000L;

  /** Known clients. */
  @Param({"65536", "1048576"})
  public int clients;

  private PersistenceTable table;
  private Map<Long, Integer> map;
  private int[] order;
  private int position;
  private long nowNs;

  /** Makes every client known. */
  @Setup
  public void fill() {
    table = new PersistenceTable(SourceIpPersistence.create().capacity(clients * 2L), 0);
    map = new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1;

      @Override
      protected boolean removeEldestEntry(Map.Entry<Long, Integer> eldest) {
        return size() > clients * 2;
      }
    };
    order = Flows.shuffled(clients);
    for (int client : order) {
      table.put(false, 0, FIRST_CLIENT + client, 0, PersistenceTable.NONE, 1 + (client & 7), nowNs);
      map.put(FIRST_CLIENT + client, 1 + (client & 7));
    }
  }

  private int start() {
    int first = position;
    position = first + CLIENTS_AT_ONCE == order.length ? 0 : first + CLIENTS_AT_ONCE;
    return first;
  }

  /** Found and kept alive. */
  @Benchmark
  public int knownClient() {
    int sum = 0;
    int first = start();
    for (int i = first; i < first + CLIENTS_AT_ONCE; i++) {
      nowNs += 100;
      sum += table.find(false, 0, FIRST_CLIENT + order[i], 0, nowNs);
    }
    return sum;
  }

  /** A least-recently-used map behind a lock, as one would write it first. */
  @Benchmark
  public int baselineLinkedHashMap() {
    int sum = 0;
    int first = start();
    for (int i = first; i < first + CLIENTS_AT_ONCE; i++) {
      synchronized (this) {
        sum += map.get(FIRST_CLIENT + order[i]);
      }
    }
    return sum;
  }
}

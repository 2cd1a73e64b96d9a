package io.lb4j.benchmarks;

import io.lb4j.flow.FlowListener;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.FrameBatch;
import io.lb4j.wire.IpProtocol;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.agrona.collections.Long2LongHashMap;
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
import org.openjdk.jmh.infra.BenchmarkParams;

/** Hash and find of a known flow, in random order of flows. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(FlowTableBenchmark.LOOKUPS)
@Fork(value = 2, jvmArgsAppend = {"-Xms6g", "-Xmx6g", "--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FlowTableBenchmark {
  static final int LOOKUPS = 4096;

  /** Flows in the table; its load is 0.56 for IPv4 and 0.5 for IPv6. */
  @Param({"65536", "1048576", "10000000"})
  public int flows;

  /** IP version. */
  @Param({"4", "6"})
  public int family;

  private final int[] hashes = new int[FrameBatch.CAPACITY];
  private final long[] places = new long[FrameBatch.CAPACITY];
  private Flows all;
  private FlowTable table;
  private Map<PlainFlowKey, Integer> map;
  private Long2LongHashMap hashes64;
  private int[] order;
  private int position;
  private int touched;

  private static final class NeverEnding implements FlowListener {
    @Override
    public int timeoutTicks(int binding, FlowState state) {
      return Short.MAX_VALUE;
    }

    @Override
    public void onEnd(FlowTable table, int handle, End end) {
      throw new IllegalStateException("a flow ended: " + end);
    }

    @Override
    public void onAlive(FlowTable table, int handle) {}
  }

  /**
   * Puts all flows into what is measured.
   *
   * @param running tells what that is
   */
  @Setup
  public void fill(BenchmarkParams running) {
    all = new Flows(family == 6);
    order = Flows.shuffled(flows);
    String name = running.getBenchmark();
    if (name.endsWith("OfHashes")) {
      hashes64 = new Long2LongHashMap(-1);
      for (int flow : order) {
        hashes64.put(hash64(flow), binding(flow));
      }
    } else if (name.contains("baseline")) {
      map = FlowMaps.forBenchmark(name, flows);
      for (int flow : order) {
        map.put(key(flow), binding(flow));
      }
    } else {
      fillTable();
    }
  }

  private void fillTable() {
    table = new FlowTable(flows + flows / 4, FlowTableOverflow.REJECT, 7, 0, new NeverEnding());
    if (all.isV6()) {
      table.enableV6();
    }
    for (int flow : order) {
      int handle = insert(flow);
      if (handle < 0 || find(flow, hash(flow)) != handle) {
        throw new IllegalStateException("flow " + flow + " is not in the table: " + handle);
      }
    }
  }

  private static int binding(int flow) {
    return 1 + (flow & 0xFF);
  }

  private PlainFlowKey key(int flow) {
    return new PlainFlowKey(
        all.sourceHigh(),
        all.sourceLow(flow),
        all.destinationHigh(),
        all.destinationLow(flow),
        all.ports(flow),
        IpProtocol.TCP);
  }

  private int hash(int flow) {
    return all.isV6()
        ? table.hash6(
            all.sourceHigh(),
            all.sourceLow(flow),
            all.destinationHigh(),
            all.destinationLow(flow),
            all.ports(flow),
            IpProtocol.TCP)
        : table.hash4(all.sourceLow(flow), all.destinationLow(flow), all.ports(flow), IpProtocol.TCP);
  }

  private int find(int flow, int hash) {
    return all.isV6()
        ? table.find6(
            hash,
            all.sourceHigh(),
            all.sourceLow(flow),
            all.destinationHigh(),
            all.destinationLow(flow),
            all.ports(flow),
            IpProtocol.TCP)
        : table.find4(hash, all.sourceLow(flow), all.destinationLow(flow), all.ports(flow), IpProtocol.TCP);
  }

  private int insert(int flow) {
    return all.isV6()
        ? table.insert6(
            hash(flow),
            all.sourceHigh(),
            all.sourceLow(flow),
            all.destinationHigh(),
            all.destinationLow(flow),
            all.ports(flow),
            FlowState.ESTABLISHED,
            binding(flow),
            1,
            0)
        : table.insert4(
            hash(flow),
            all.sourceLow(flow),
            all.destinationLow(flow),
            all.ports(flow),
            FlowState.ESTABLISHED,
            binding(flow),
            1,
            0);
  }

  private int nextLookups() {
    int start = position;
    position = start + 2 * LOOKUPS > order.length ? 0 : start + LOOKUPS;
    return start;
  }

  /** One after another. */
  @Benchmark
  public int findAlone() {
    int sum = 0;
    int start = nextLookups();
    for (int i = start; i < start + LOOKUPS; i++) {
      int flow = order[i];
      sum += table.binding(find(flow, hash(flow)));
    }
    return sum;
  }

  /** Batches of 32, in the short loops of the data path: hash, ask for buckets, look into them, search further. */
  @Benchmark
  public int findInBatches() {
    int sum = 0;
    int start = nextLookups();
    boolean v6 = all.isV6();
    for (int first = start; first < start + LOOKUPS; first += FrameBatch.CAPACITY) {
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        hashes[i] = hash(order[first + i]);
      }
      int words = 0;
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        words += table.touch(v6, hashes[i]);
      }
      touched = words;
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        places[i] = v6 ? atHome6(order[first + i], hashes[i]) : atHome4(order[first + i], hashes[i]);
      }
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        words += places[i] == FlowTable.ELSEWHERE ? table.touchBehind(v6, hashes[i]) : 0;
      }
      touched += words;
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        int handle = places[i] <= FlowTable.ELSEWHERE ? find(order[first + i], hashes[i]) : table.handle(v6, places[i]);
        sum += table.binding(handle);
      }
    }
    return sum + touched;
  }

  private long atHome4(int flow, int hash) {
    return table.atHome4(hash, all.sourceLow(flow) << 32 | all.destinationLow(flow), all.ports(flow), IpProtocol.TCP);
  }

  private long atHome6(int flow, int hash) {
    return table.atHome6(
        hash,
        all.sourceHigh(),
        all.sourceLow(flow),
        all.destinationHigh(),
        all.destinationLow(flow),
        all.ports(flow),
        IpProtocol.TCP);
  }

  private int sumOfMap() {
    int sum = 0;
    int start = nextLookups();
    for (int i = start; i < start + LOOKUPS; i++) {
      sum += map.get(key(order[i]));
    }
    return sum;
  }

  /** A hash map with a record as its key. */
  @Benchmark
  public int baselineHashMap() {
    return sumOfMap();
  }

  /** The map for several threads. */
  @Benchmark
  public int baselineConcurrentHashMap() {
    return sumOfMap();
  }

  /** A cache that is bounded, as a flow table has to be. */
  @Benchmark
  public int baselineCaffeine() {
    return sumOfMap();
  }

  /** Open addressing with objects as keys. */
  @Benchmark
  public int baselineAgrona() {
    return sumOfMap();
  }

  /**
   * Open addressing with a hash of 64 bits as the key: unsound, as two flows may share it, and the fastest map there
   * is.
   */
  @Benchmark
  public int baselineAgronaOfHashes() {
    int sum = 0;
    int start = nextLookups();
    for (int i = start; i < start + LOOKUPS; i++) {
      sum += (int) hashes64.get(hash64(order[i]));
    }
    return sum;
  }

  private long hash64(int flow) {
    long bits = all.sourceLow(flow) * 0x9E37_79B9_7F4A_7C15L ^ all.destinationLow(flow) << 32 ^ all.ports(flow);
    bits = (bits ^ bits >>> 33) * 0xFF51_AFD7_ED55_8CCDL;
    return bits ^ bits >>> 33;
  }
}

package io.lb4j.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.lb4j.flow.FlowListener;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.FrameBatch;
import io.lb4j.wire.IpProtocol;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.agrona.collections.Object2IntHashMap;
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
  private Flows all;
  private FlowTable table;
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

  /** Puts all flows into the table. */
  @Setup
  public void fill() {
    all = new Flows(family == 6);
    order = Flows.shuffled(flows);
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

  /** Batches of 32: all buckets are asked for before the first flow is looked at. */
  @Benchmark
  public int findInBatches() {
    int sum = 0;
    int start = nextLookups();
    for (int first = start; first < start + LOOKUPS; first += FrameBatch.CAPACITY) {
      int words = 0;
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        hashes[i] = hash(order[first + i]);
        words += table.touch(all.isV6(), hashes[i]);
      }
      touched = words;
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        sum += table.binding(find(order[first + i], hashes[i]));
      }
    }
    return sum + touched;
  }

  private int sumOf(Map<PlainFlowKey, Integer> keys) {
    int sum = 0;
    int start = nextLookups();
    for (int i = start; i < start + LOOKUPS; i++) {
      sum += keys.get(key(order[i]));
    }
    return sum;
  }

  /** A hash map with a record as its key. */
  @Benchmark
  public int baselineHashMap(Maps maps) {
    return sumOf(maps.hashMap);
  }

  /** The map for several threads. */
  @Benchmark
  public int baselineConcurrentHashMap(Maps maps) {
    return sumOf(maps.concurrent);
  }

  /** A cache that is bounded, as a flow table has to be. */
  @Benchmark
  public int baselineCaffeine(Maps maps) {
    return sumOf(maps.caffeine.asMap());
  }

  /** Open addressing with primitive values. */
  @Benchmark
  public int baselineAgrona(Maps maps) {
    int sum = 0;
    int start = nextLookups();
    for (int i = start; i < start + LOOKUPS; i++) {
      sum += maps.agrona.getValue(key(order[i]));
    }
    return sum;
  }

  /** The baselines, made only for the benchmarks that use them. */
  @State(Scope.Thread)
  public static class Maps {
    private final Map<PlainFlowKey, Integer> hashMap = new HashMap<>();
    private final Map<PlainFlowKey, Integer> concurrent = new ConcurrentHashMap<>();
    private final Object2IntHashMap<PlainFlowKey> agrona = new Object2IntHashMap<>(-1);
    private Cache<PlainFlowKey, Integer> caffeine;

    /**
     * Fills the one that is measured.
     *
     * @param flows what the table holds as well
     * @param running tells which
     */
    @Setup
    public void fill(FlowTableBenchmark flows, BenchmarkParams running) {
      caffeine = Caffeine.newBuilder().maximumSize(flows.flows + flows.flows / 4).build();
      String name = running.getBenchmark();
      for (int flow : flows.order) {
        PlainFlowKey key = flows.key(flow);
        if (name.endsWith("baselineHashMap")) {
          hashMap.put(key, binding(flow));
        } else if (name.endsWith("baselineConcurrentHashMap")) {
          concurrent.put(key, binding(flow));
        } else if (name.endsWith("baselineCaffeine")) {
          caffeine.put(key, binding(flow));
        } else {
          agrona.put(key, binding(flow));
        }
      }
    }
  }
}

package io.lb4j.benchmarks;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowListener;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.flow.FlowTracker;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameStep;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.TcpHeader;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A frame of a known flow of Direct Server Return, from the batch up to one of its stages: what a stage costs is the
 * difference to the one before. A stage cannot stand alone, as each works on what the one before has found and has
 * waited for; so the cost of a cache miss is where the pipeline pays it. The loops are those of the data path, without
 * what it asks beside them: whose MAC address, which snapshot, how long ago.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(FramePool.SIZE)
@Fork(
    value = 2,
    jvmArgsAppend = {
      "-Xms2g", "-Xmx2g", "--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetectionLevel=disabled"
    })
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StageBenchmark {
  private static final int BINDINGS = 256;
  private static final int TICK = FlowTable.tick(DsrNetwork.START_NS);
  private static final long SERVER_MAC = 0x0200_0001_0000L;

  /** The last stage, in the order of the pipeline; {@code wrap} puts frames into the batch and is no stage. */
  @Param({"wrap", "parse", "hash", "touch", "find", "record", "rewrite", "count"})
  public String upTo;

  /** Flows in the table. */
  @Param({"65536", "1048576"})
  public int flows;

  /** IP version. */
  @Param({"4", "6"})
  public int family;

  private final FrameBatch batch = new FrameBatch();
  private final WorkerCounters counters = new WorkerCounters(1);
  private FlowTable table;
  private FrameStep[] stages;
  private FramePool pool;
  private int[] order;
  private int position;
  private int touched; // written only, so that the loads are kept

  private static final class NeverEnding implements FlowListener {
    @Override
    public int timeoutTicks(int binding, FlowState state) {
      return Short.MAX_VALUE;
    }

    @Override
    public void onEnd(FlowTable flows, int handle, End end) {
      throw new IllegalStateException("a flow ended: " + end);
    }

    @Override
    public void onAlive(FlowTable flows, int handle) {}
  }

  /** Puts all flows into the table. */
  @Setup
  public void fill() {
    String[] names = {"wrap", "parse", "hash", "touch", "find", "record", "rewrite", "count"};
    FrameStep[] all = {this::parse, this::hash, this::touch, this::find, this::record, this::rewrite, this::count};
    stages = Arrays.copyOf(all, Arrays.asList(names).indexOf(upTo));
    boolean v6 = family == 6;
    table = new FlowTable(flows + flows / 4, FlowTableOverflow.REJECT, 7, DsrNetwork.START_NS, new NeverEnding());
    if (v6) {
      table.enableV6();
    }
    counters.reserve(BINDINGS);
    order = Flows.shuffled(flows);
    pool = new FramePool(new Flows(v6));
    FrameView view = new FrameView();
    for (int flow : order) {
      pool.write(pool.frames[0], flow, TcpHeader.SYN);
      view.wrap(pool.frames[0], 0, pool.frames[0].readableBytes(), FrameMarks.NONE, 0);
      FrameParser.parse(view);
      insert(view, 1 + flow % BINDINGS);
    }
  }

  private void insert(FrameView view, int binding) {
    int hash = Driver.hash(table, view);
    int next = view.tcpNextSequence();
    int handle =
        view.isV6()
            ? table.insert6(
                hash,
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                FlowState.ESTABLISHED,
                binding,
                next,
                TICK)
            : table.insert4(
                hash,
                view.sourceLow(),
                view.destinationLow(),
                view.ports(),
                FlowState.ESTABLISHED,
                binding,
                next,
                TICK);
    if (handle < 0) {
      throw new IllegalStateException("no room for a flow");
    }
  }

  /** Writes the next 4,096 frames; not measured. */
  @Setup(Level.Invocation)
  public void refill() {
    position = pool.refill(order, position);
  }

  /** Gives the memory back. */
  @TearDown
  public void release() {
    pool.release();
  }

  /** Batches of 32 through the stages. */
  @Benchmark
  public int stages() {
    for (int i = 0; i < FramePool.SIZE; i += FrameBatch.CAPACITY) {
      batch.clear();
      for (int j = i; j < i + FrameBatch.CAPACITY; j++) {
        batch.add(pool.frames[j], 0, pool.frames[j].readableBytes(), FrameMarks.NONE, 0);
      }
      FrameStep.runAll(stages, batch.views(), -1);
    }
    return touched;
  }

  private int parse(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      FrameParser.parse(views[i]);
    }
    return 0;
  }

  private int hash(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      views[i].setHash(Driver.hash(table, views[i]));
    }
    return 0;
  }

  private int touch(FrameView[] views, int first, int end) {
    int sum = 0;
    for (int i = first; i < end; i++) {
      sum += table.touch(views[i].isV6(), views[i].hash());
    }
    touched = sum;
    return 0;
  }

  private int find(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      long place = table.atHome(view);
      view.setFlow(place > FlowTable.ELSEWHERE ? place : table.place(view)); // some lie behind their home bucket
    }
    return 0;
  }

  private int record(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      view.setBinding(FlowTracker.usualBinding(view.flow(), view, TICK));
      FlowTracker.onUsual(view.flow(), view, TICK);
    }
    return 0;
  }

  private int rewrite(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      view.setUsualMacs(SERVER_MAC + view.binding(), FramePool.BALANCER_MAC_BITS);
      view.forward(0, view.binding());
    }
    return 0;
  }

  private int count(FrameView[] views, int first, int end) {
    long bytes = 0;
    for (int i = first; i < end; i++) {
      counters.onServerFrame(views[i].binding(), views[i].length());
      bytes += views[i].length();
    }
    counters.onReceived(0, end - first, bytes);
    counters.onForwarded(0, end - first);
    return 0;
  }
}

package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.annotations.AuxCounters;
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
 * Both forwarding methods, all schedulers, TCP and UDP, IPv4 and IPv6 in one process: what a frame costs when any frame
 * may be followed by any other, against what its kind costs alone in the same process. A virtual call per frame that
 * sees three types would show here.
 *
 * <p>A pass is 4,096 frames in batches of 32, a sixteenth of which begin flows. Each measured pass is of eight kinds
 * mixed at random; before it, outside of what JMH measures, a pass of one kind alone is timed, by turns. So the figures
 * are of the same minute and of the same compiled code. Writing frames and ending flows is measured by neither.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(FramePool.SIZE)
@Fork(
    value = 2,
    jvmArgsAppend = {
      "-Xms6g", "-Xmx6g", "--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetectionLevel=disabled"
    })
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
public class MixedTrafficBenchmark {
  private static final int WARM_UP_ROUNDS = 20;

  /** Established flows of all kinds together. */
  @Param({"65536", "1048576"})
  public int flows;

  private final Lane[] lanes = new Lane[8];
  private final ByteBuf[] mixed = new ByteBuf[FramePool.SIZE];
  private final byte[] links = new byte[FramePool.SIZE];
  private final Pass[] alone = new Pass[lanes.length];
  private final Pass together = new Pass();
  private LoadBalancer balancer;
  private Driver driver;
  private int turn;

  /** What passes of one kind have taken. */
  static final class Pass {
    private long sumNs;
    private long count;
    private long leastNs;

    void clear() {
      sumNs = 0;
      count = 0;
      leastNs = Long.MAX_VALUE;
    }

    void add(long elapsedNs) {
      sumNs += elapsedNs;
      count++;
      leastNs = Math.min(leastNs, elapsedNs);
    }

    double meanNs() {
      return count == 0 ? Double.NaN : (double) sumNs / count / FramePool.SIZE;
    }

    double leastNs() {
      return count == 0 ? Double.NaN : (double) leastNs / FramePool.SIZE;
    }
  }

  /** What JMH reports beside the mixed passes: nanoseconds per frame, and the ratio that is to be 1.3 at most. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Parts {
    private MixedTrafficBenchmark measured; // told by each pass: a state that JMH hands in would be another one

    /**
     * The mean of the mixed passes divided by the mean of the eight kinds alone.
     *
     * @return 1 where mixing costs nothing
     */
    public double ratio() {
      return measured.together.meanNs() / alone();
    }

    /**
     * The same of the fastest pass of each.
     *
     * @return what others on the machine disturbed least
     */
    public double ratioOfLeast() {
      return measured.together.leastNs() / mean(Pass::leastNs);
    }

    /**
     * All kinds alone, each with the same weight, as they are mixed.
     *
     * @return nanoseconds per frame
     */
    public double alone() {
      return mean(Pass::meanNs);
    }

    private double mean(ToDoubleFunction<Pass> of) {
      double sum = 0;
      for (Pass pass : measured.alone) {
        sum += of.applyAsDouble(pass);
      }
      return sum / measured.alone.length;
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double dsrTcp4() {
      return measured.alone[0].meanNs();
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double dsrTcp6() {
      return measured.alone[1].meanNs();
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double dsrUdp4() {
      return measured.alone[2].meanNs();
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double dsrUdp6() {
      return measured.alone[3].meanNs();
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double gatewayTcp4() {
      return measured.alone[4].meanNs();
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double gatewayTcp6() {
      return measured.alone[5].meanNs();
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double gatewayUdp4() {
      return measured.alone[6].meanNs();
    }

    /**
     * One kind alone.
     *
     * @return nanoseconds per frame
     */
    public double gatewayUdp6() {
      return measured.alone[7].meanNs();
    }
  }

  /** Opens every flow, then lets the compiler see all kinds before anything is measured. */
  @Setup
  public void establish() {
    balancer = MixedNetwork.balancer(flows + flows / 4 + FramePool.SIZE);
    driver = new Driver(balancer.dataPath());
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = new Lane(driver, i < 4, (i & 2) == 0, (i & 1) != 0, flows / lanes.length);
      lanes[i].establish();
      alone[i] = new Pass();
    }
    mix();
    for (int i = 0; i < WARM_UP_ROUNDS * lanes.length; i++) {
      refill();
      if (driver.batches(mixed, links) != FramePool.SIZE) {
        throw new IllegalStateException("mixed frames were not forwarded");
      }
    }
  }

  /** As many frames of each kind, in random order. */
  private void mix() {
    int[] order = Flows.shuffled(FramePool.SIZE);
    int each = FramePool.SIZE / lanes.length;
    for (int i = 0; i < FramePool.SIZE; i++) {
      Lane lane = lanes[i / each];
      mixed[order[i]] = lane.frames[i % each];
      links[order[i]] = lane.links[i % each];
    }
  }

  /** Begins an iteration. */
  @Setup(Level.Iteration)
  public void clear() {
    together.clear();
    for (Pass pass : alone) {
      pass.clear();
    }
  }

  /** Times one kind alone, then writes the mixed frames; not measured by JMH. */
  @Setup(Level.Invocation)
  public void refill() {
    int next = turn++ % lanes.length;
    Lane lane = lanes[next];
    lane.refill(FramePool.SIZE);
    lane.evict();
    long beginNs = System.nanoTime();
    int forwarded = driver.batches(lane.frames, lane.links);
    alone[next].add(System.nanoTime() - beginNs);
    if (forwarded != FramePool.SIZE) {
      throw new IllegalStateException(lane.name + ": " + (FramePool.SIZE - forwarded) + " frames were not forwarded");
    }
    for (Lane each : lanes) {
      each.refill(FramePool.SIZE / lanes.length);
    }
    lane.evict();
  }

  /** Gives the memory back. */
  @TearDown
  public void close() {
    driver.path.close();
    balancer.close();
    for (Lane lane : lanes) {
      lane.release();
    }
  }

  /**
   * All kinds in one pass.
   *
   * @param parts what JMH reports beside
   * @return frames forwarded
   */
  @Benchmark
  public int mixed(Parts parts) {
    parts.measured = this;
    long beginNs = System.nanoTime();
    int forwarded = driver.batches(mixed, links);
    together.add(System.nanoTime() - beginNs);
    if (forwarded != FramePool.SIZE) {
      throw new IllegalStateException(FramePool.SIZE - forwarded + " mixed frames were not forwarded");
    }
    return forwarded;
  }
}

package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long a frame is on its way through a balancer that runs, from the receiving thread's hands to the port again, one
 * frame every 50 µs: to completion no hop between threads, pipelined two. {@code p50}, {@code p99} and {@code p999} are
 * nanoseconds of each iteration; JMH adds them up over iterations, the report takes their median. The score means
 * nothing.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 2,
    jvmArgsAppend = {
      "-Xms2g", "-Xmx2g", "--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetectionLevel=disabled"
    })
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class WayLatencyBenchmark {
  private static final int FLOWS = 65_536;
  private static final long PERIOD_NS = 50_000;
  private static final long GLANCE_NS = 20_000_000;

  /** How it runs: one worker to {@code completion}, or {@code pipelined} with two. */
  @Param({"completion", "pipelined"})
  public String way;

  /** What threads do while nothing waits for them. */
  @Param({"park", "yield", "spin"})
  public String waiting;

  private EndlessPort port;
  private LoadBalancer balancer;

  /** What was recorded in an iteration. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Seen {
    private final Histogram histogram = new Histogram(1_000_000_000L, 3);

    /** Begins an iteration. */
    @Setup(Level.Iteration)
    public void clear() {
      histogram.reset();
    }

    /**
     * Half of the frames took no longer.
     *
     * @return nanoseconds
     */
    public long p50() {
      return histogram.getValueAtPercentile(50);
    }

    /**
     * 99 of 100 frames took no longer.
     *
     * @return nanoseconds
     */
    public long p99() {
      return histogram.getValueAtPercentile(99);
    }

    /**
     * 999 of 1,000 frames took no longer.
     *
     * @return nanoseconds
     */
    public long p999() {
      return histogram.getValueAtPercentile(99.9);
    }
  }

  /** Starts the balancer and waits until all flows are established. */
  @Setup
  public void start() {
    boolean completion = way.equals("completion");
    port = new EndlessPort(false, 1, FLOWS, PERIOD_NS);
    balancer = ScalingBenchmark.started(port, false, completion ? 1 : 2, FLOWS, waiting);
    ScalingBenchmark.await(port, port.opening());
  }

  /** Stops all threads. */
  @TearDown
  public void stop() {
    balancer.close();
  }

  /**
   * Sleeps while frames come, then takes over how long they took.
   *
   * @param seen what JMH reports
   * @return frames recorded in this iteration
   */
  @Benchmark
  public long frames(Seen seen) {
    LockSupport.parkNanos(GLANCE_NS);
    port.drainTo(seen.histogram);
    return seen.histogram.getTotalCount();
  }
}

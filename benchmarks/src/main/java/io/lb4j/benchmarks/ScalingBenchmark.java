package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dataplane.WaitStrategy;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Frames in a microsecond through a balancer that runs with threads of its own, Direct Server Return, from an {@link
 * EndlessPort} and back to it. Bringing a frame is part of what a worker does, and so measured. The measuring thread
 * sleeps. With two workers nothing else should run on a machine of two cores; pipelined there are four threads.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(ScalingBenchmark.FRAMES)
@Fork(
    value = 3,
    jvmArgsAppend = {
      "-Xms2g", "-Xmx2g", "--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetectionLevel=disabled"
    })
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ScalingBenchmark {
  static final int FRAMES = 1 << 19;

  private static final int SERVERS = 4;
  private static final long GLANCE_NS = 100_000;
  private static final long LONGEST_NS = 60_000_000_000L;

  /** Established flows of each worker. */
  @Param("65536")
  public int flows;

  /** IP version. */
  @Param("4")
  public int family;

  /**
   * How it runs: {@code one} worker to completion; {@code two} workers to completion, each with a queue of its own;
   * {@code apart}, two balancers of one worker that share nothing, which is what the processors themselves allow;
   * {@code pipelined}, two workers that get their frames from the receiver of one queue.
   */
  @Param({"one", "two", "apart", "pipelined"})
  public String way;

  /** What threads do while nothing waits for them: {@code park}, {@code yield} or {@code spin}. */
  @Param("park")
  public String waiting;

  private EndlessPort[] ports;
  private LoadBalancer[] balancers;

  /** Starts the balancer, or two, and waits until all flows are established. */
  @Setup
  public void start() {
    boolean v6 = family == 6;
    int workers = way.equals("one") || way.equals("apart") ? 1 : 2;
    int copies = way.equals("apart") ? 2 : 1;
    ports = new EndlessPort[copies];
    balancers = new LoadBalancer[copies];
    for (int i = 0; i < copies; i++) {
      ports[i] = way.equals("pipelined") ? new EndlessPort(v6, 1, 2 * flows) : new EndlessPort(v6, workers, flows);
      balancers[i] = started(ports[i], v6, workers, flows, waiting);
    }
    for (EndlessPort port : ports) {
      await(port, port.opening());
    }
  }

  /** A balancer that runs on a port, with services for its flows. */
  static LoadBalancer started(EndlessPort port, boolean v6, int workers, int flowsOfWorker, String waiting) {
    LoadBalancerBuilder builder =
        DsrNetwork.builder(v6, Flows.SERVICES, SERVERS, 2 * flowsOfWorker + flowsOfWorker / 2)
            .networkInterface("eth0", i -> i.port(port).address(DsrNetwork.ADDRESSES).hostStack(false))
            .clock(System::nanoTime)
            .workers(workers)
            .waitStrategy(WaitStrategy.valueOf(waiting.toUpperCase(Locale.ROOT)));
    LoadBalancer balancer = DsrNetwork.withNeighbors(builder, v6, SERVERS).build();
    balancer.start();
    return balancer;
  }

  /** Sleeps until a port has sent so many frames. */
  static void await(EndlessPort port, long sent) {
    await(new EndlessPort[] {port}, sent);
  }

  private static long sent(EndlessPort[] ports) {
    long sum = 0;
    for (EndlessPort port : ports) {
      sum += port.sent();
    }
    return sum;
  }

  /** Sleeps until all ports together have sent so many frames. */
  private static void await(EndlessPort[] ports, long sent) {
    long beginNs = System.nanoTime();
    while (sent(ports) - sent < 0) {
      LockSupport.parkNanos(GLANCE_NS);
      if (System.nanoTime() - beginNs - LONGEST_NS > 0) {
        throw new IllegalStateException("frames were lost on their way");
      }
    }
  }

  /** Stops all threads. */
  @TearDown
  public void stop() {
    for (LoadBalancer balancer : balancers) {
      balancer.close();
    }
  }

  /**
   * Waits for another half a million frames.
   *
   * @return frames sent so far
   */
  @Benchmark
  public long frames() {
    long begin = sent(ports);
    await(ports, begin + FRAMES);
    return begin;
  }
}

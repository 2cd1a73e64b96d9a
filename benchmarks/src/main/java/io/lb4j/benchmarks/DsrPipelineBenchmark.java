package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
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
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * A frame of a known flow, from the receive ring to the rewritten frame; or one that is refused. Frames are written
 * anew, in random order of flows, before each 4,096 of them and outside the measured part. The baselines do the same
 * job with maps, one frame after another.
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
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DsrPipelineBenchmark {
  /** Established flows. */
  @Param({"65536", "1048576", "10000000"})
  public int flows;

  /** IP version. */
  @Param({"4", "6"})
  public int family;

  /** Services, a power of two; 1, 64 and 1,024 are worth comparing. */
  @Param("64")
  public int services;

  /** Servers of each service. */
  @Param("4")
  public int servers;

  /** Length of a frame; 64 and 1,500 are worth comparing. */
  @Param("64")
  public int frameBytes;

  /**
   * What frames there are: {@code known}; {@code malformed} in four ways; {@code stray}, of a connection that nobody
   * knows; {@code unserved}, to a port without a service; {@code foreign}, to somebody else's MAC address.
   */
  @Param("known")
  public String frames;

  private Flows all;
  private FramePool pool;
  private LoadBalancer balancer;
  private Driver driver;
  private PlainDsr plain;
  private NettyDsr netty;
  private int[] order;
  private int position;
  private boolean known;

  /**
   * Makes what is measured and lets it know every flow.
   *
   * @param running tells what is measured
   */
  @Setup
  public void establish(BenchmarkParams running) {
    all = new Flows(family == 6, Flows.CLIENTS, services);
    pool = new FramePool(all, IpProtocol.TCP, frameBytes);
    order = Flows.shuffled(flows);
    known = frames.equals("known");
    if (running.getBenchmark().contains("baseline")) {
      establishBaseline(running.getBenchmark());
    } else {
      establishBalancer();
    }
    refill();
    if ((forwardedAtFirst() == FramePool.SIZE) != known) {
      throw new IllegalStateException(frames + " frames did not fare as they should");
    }
    refill();
  }

  private int forwardedAtFirst() {
    return driver != null ? driver.singleFrames(pool.frames) : netty != null ? netty.run(pool.frames) : plainFrames();
  }

  /** A SYN and an ACK of every flow. */
  private void establishBalancer() {
    balancer =
        DsrNetwork.embedded(
            DsrNetwork.builder(family == 6, services, servers, flows + flows / 4), family == 6, servers);
    driver = new Driver(balancer.dataPath());
    ByteBuf frame = pool.frames[0];
    for (int flow : order) {
      pool.write(frame, flow, TcpHeader.SYN);
      driver.forward(0, frame);
      pool.write(frame, flow, TcpHeader.ACK);
      driver.forward(0, frame);
    }
  }

  private void establishBaseline(String name) {
    plain = new PlainDsr(FramePool.BALANCER_MAC_BITS, FlowMaps.forBenchmark(name, flows));
    int machines = Math.max(DsrNetwork.LEAST_MACHINES, servers);
    PlainDsr.Server[] each = new PlainDsr.Server[services * servers];
    for (int i = 0; i < each.length; i++) {
      each[i] = new PlainDsr.Server(DsrNetwork.machineMac(i % machines));
    }
    for (int flow : order) {
      plain.put(key(flow), new PlainDsr.Flow(each[all.service(flow) * servers + flow % servers]));
    }
    if (name.endsWith("NettyHandler")) {
      netty = new NettyDsr(plain);
    }
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

  /** Writes the next 4,096 frames; not measured. */
  @Setup(Level.Invocation)
  public void refill() {
    if (known) {
      position = pool.refill(order, position);
      return;
    }
    for (int i = 0; i < FramePool.SIZE; i++) {
      int flow = order[position];
      position = position + 1 == order.length ? 0 : position + 1;
      pool.write(pool.frames[i], frames.equals("stray") ? all.another(flow, flows, 0) : flow, TcpHeader.ACK);
      change(i);
    }
    pool.evict();
  }

  private void change(int index) {
    switch (frames) {
      case "malformed" -> pool.spoil(index);
      case "unserved" -> pool.unserve(index);
      case "foreign" -> pool.misdirect(index);
      case "stray" -> {}
      default -> throw new IllegalArgumentException("frames=" + frames);
    }
  }

  /** Gives the memory back. */
  @TearDown
  public void close() {
    if (balancer != null) {
      driver.path.close();
      balancer.close();
    }
    if (netty != null) {
      netty.close();
    }
    pool.release();
  }

  /** Batches of 32, as a worker does. */
  @Benchmark
  public int batches() {
    return driver.batches(pool.frames);
  }

  /** One frame after another, as an embedding that has no bursts does. */
  @Benchmark
  public int singleFrames() {
    return driver.singleFrames(pool.frames);
  }

  private int plainFrames() {
    int forwarded = 0;
    for (ByteBuf frame : pool.frames) {
      forwarded += plain.process(frame, position) ? 1 : 0;
    }
    return forwarded;
  }

  /** The same job with a hash map. */
  @Benchmark
  public int baselineHashMap() {
    return plainFrames();
  }

  /** With the map for several threads. */
  @Benchmark
  public int baselineConcurrentHashMap() {
    return plainFrames();
  }

  /** With a cache that is bounded, as a flow table has to be. */
  @Benchmark
  public int baselineCaffeine() {
    return plainFrames();
  }

  /** With open addressing instead of chains. */
  @Benchmark
  public int baselineAgrona() {
    return plainFrames();
  }

  /** The hash map's job in a handler of a Netty channel. */
  @Benchmark
  public int baselineNettyHandler() {
    return netty.run(pool.frames);
  }
}

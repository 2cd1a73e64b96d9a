package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dataplane.DataPath;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
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

/**
 * A frame of a known flow, from the receive ring to the rewritten frame: 64 services with four servers each on 128
 * machines. Frames are written anew, in random order of flows, before each 4,096 of them and outside the measured part.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(FramePool.SIZE)
@Fork(value = 2, jvmArgsAppend = {"-Xms6g", "-Xmx6g", "--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetectionLevel=disabled"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DsrPipelineBenchmark {
  private static final int SERVERS = 4;
  private static final int MACHINES = 128;
  private static final int FIRST_MACHINE = 10;
  private static final long SERVER_MACS = 0x0200_0000_0100L;

  /** What a frame may take on the simulated clock: the sweep of the flow table keeps its share of the work. */
  private static final long FRAME_NS = 50;

  /** Established flows. */
  @Param({"65536", "1048576", "10000000"})
  public int flows;

  /** IP version. */
  @Param({"4", "6"})
  public int family;

  private final FrameBatch batch = new FrameBatch();
  private final FrameOutput output = (link, frame, marks) -> frame.release();

  private FramePool pool;
  private LoadBalancer balancer;
  private DataPath path;
  private PlainDsr plain;
  private int[] order;
  private int position;
  private long nowNs = 1_000_000_000L;

  /** Makes the balancer and the baseline, and sends a SYN and an ACK of every flow through both. */
  @Setup
  public void establish() {
    boolean v6 = family == 6;
    Flows all = new Flows(v6);
    pool = new FramePool(all);
    order = Flows.shuffled(flows);
    balancer = balancer(v6, flows + flows / 4);
    path = balancer.dataPath();
    plain = new PlainDsr(FramePool.BALANCER_MAC_BITS);
    PlainDsr.Server[] servers = new PlainDsr.Server[Flows.SERVICES * SERVERS];
    for (int i = 0; i < servers.length; i++) {
      servers[i] = new PlainDsr.Server(SERVER_MACS + i % MACHINES);
    }
    ByteBuf frame = pool.frames[0];
    for (int flow : order) {
      nowNs += FRAME_NS;
      pool.write(frame, flow, TcpHeader.SYN);
      forwarded(path.process(0, frame, nowNs, output));
      pool.write(frame, flow, TcpHeader.ACK);
      forwarded(path.process(0, frame, nowNs, output));
      plain.put(
          new PlainFlowKey(
              all.sourceHigh(),
              all.sourceLow(flow),
              all.destinationHigh(),
              all.destinationLow(flow),
              all.ports(flow),
              IpProtocol.TCP),
          new PlainDsr.Flow(servers[(flow >> 8 & Flows.SERVICES - 1) * SERVERS + (flow & SERVERS - 1)]));
    }
    refill();
    for (ByteBuf ready : pool.frames) {
      forwarded(path.process(0, ready, nowNs, output));
    }
    refill();
    for (ByteBuf ready : pool.frames) {
      forwarded(plain.process(ready, nowNs) ? Verdict.FORWARD : Verdict.PASS);
    }
  }

  private static void forwarded(Verdict verdict) {
    if (verdict != Verdict.FORWARD) {
      throw new IllegalStateException("not forwarded but " + verdict);
    }
  }

  private static LoadBalancer balancer(boolean v6, int flowCapacity) {
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface(
                "eth0",
                i -> i.mac(FramePool.BALANCER_MAC).address("192.0.2.5/24", "2001:db8:5::5/64").hostStack(false))
            .announcements(AnnouncementSettings.off())
            .flowTable(flowCapacity)
            .seed(7)
            .clock(System::nanoTime);
    for (int machine = 0; machine < MACHINES; machine++) {
      builder.neighbor(address(v6, machine), String.format("02:00:00:00:01:%02x", machine));
    }
    for (int service = 0; service < Flows.SERVICES; service++) {
      VirtualServiceBuilder declared =
          VirtualService.tcp(Flows.vip(v6, service), Flows.SERVICE_PORT)
              .named("service-" + service)
              .forwarding(DirectServerReturn.create());
      for (int server = 0; server < SERVERS; server++) {
        declared.realServer("server-" + server, address(v6, (service * SERVERS + server) % MACHINES));
      }
      builder.service(declared);
    }
    return builder.build();
  }

  private static String address(boolean v6, int machine) {
    int host = FIRST_MACHINE + machine;
    return v6 ? "2001:db8:5::" + Integer.toHexString(host) : "192.0.2." + host;
  }

  /** Writes the next 4,096 frames; not measured. */
  @Setup(Level.Invocation)
  public void refill() {
    position = pool.refill(order, position);
  }

  /** Gives the memory back. */
  @TearDown
  public void close() {
    path.close();
    balancer.close();
    pool.release();
  }

  /** Batches of 32, as a worker does. */
  @Benchmark
  public int batches() {
    int forwarded = 0;
    ByteBuf[] frames = pool.frames;
    for (int i = 0; i < FramePool.SIZE; i += FrameBatch.CAPACITY) {
      batch.clear();
      for (int j = i; j < i + FrameBatch.CAPACITY; j++) {
        batch.add(frames[j], 0, frames[j].readableBytes(), FrameMarks.NONE, 0);
      }
      nowNs += FRAME_NS * FrameBatch.CAPACITY;
      path.process(batch, nowNs, output);
      for (int j = 0; j < FrameBatch.CAPACITY; j++) {
        forwarded += batch.get(j).verdict() == Verdict.FORWARD ? 1 : 0;
      }
    }
    return forwarded;
  }

  /** One frame after another, as an embedding that has no bursts does. */
  @Benchmark
  public int singleFrames() {
    int forwarded = 0;
    for (ByteBuf frame : pool.frames) {
      nowNs += FRAME_NS;
      forwarded += path.process(0, frame, nowNs, output) == Verdict.FORWARD ? 1 : 0;
    }
    return forwarded;
  }

  /** The same job with a hash map. */
  @Benchmark
  public int baselineHashMap() {
    int forwarded = 0;
    for (ByteBuf frame : pool.frames) {
      nowNs += FRAME_NS;
      forwarded += plain.process(frame, nowNs) ? 1 : 0;
    }
    return forwarded;
  }
}

package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.gateway.Gateway;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
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
 * A frame of an established session through the gateway, every other one a reply: addresses, ports, time to live and
 * checksums rewritten. Services have four servers each on 128 machines. Frames are written anew, in random order of
 * sessions, before each 4,096 of them and outside the measured part. The baselines do the same job with maps, one frame
 * after another.
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
public class NatPipelineBenchmark {
  private static final int OUTSIDE = 0;
  private static final int INSIDE = 1;
  private static final int SERVERS = 4;
  private static final int MACHINES = 128;
  private static final int FIRST_MACHINE = 10;
  private static final int FIRST_SERVER_PORT = 8000;
  private static final long ROUTER_MAC = 0x0200_0000_0001L;
  private static final long SERVERS_V4 = 0xC612_0000L; // 198.18.0.0

  /** A capacity that a translator has always had; beyond it the table is as large as the flows. */
  private static final int ROOM = 1 << 22;

  /** Established sessions; 4,000,000 are worth a look, and more where the table takes them. */
  @Param({"65536", "1048576"})
  public int flows;

  /** IP version. */
  @Param({"4", "6"})
  public int family;

  /** Services, a power of two; 1, 64 and 1,024 are worth comparing. */
  @Param("64")
  public int services;

  /** Length of a frame; 64 and 1,500 are worth comparing. */
  @Param("64")
  public int frameBytes;

  private final byte[] links = new byte[FramePool.SIZE];
  private Flows all;
  private FramePool pool;
  private LoadBalancer balancer;
  private Driver driver;
  private PlainNat plain;
  private int[] order;
  private long[] servers; // low bits of the server's address, by session
  private int position;

  /**
   * Makes what is measured and opens every session in it.
   *
   * @param running tells what is measured
   */
  @Setup
  public void establish(BenchmarkParams running) {
    boolean v6 = family == 6;
    all = new Flows(v6, Flows.CLIENTS, services);
    pool = new FramePool(all, IpProtocol.TCP, frameBytes);
    order = Flows.shuffled(flows);
    servers = new long[flows];
    for (int i = 0; i < FramePool.SIZE; i++) {
      links[i] = (byte) ((i & 1) == 0 ? OUTSIDE : INSIDE);
    }
    if (running.getBenchmark().contains("baseline")) {
      plain = new PlainNat(FramePool.BALANCER_MAC_BITS, FlowMaps.forBenchmark(running.getBenchmark(), 2 * flows));
      for (int flow : order) {
        openPlain(flow);
      }
    } else {
      balancer = balancer(v6, services, Math.min(flows + flows / 4, Math.max(flows, ROOM)));
      driver = new Driver(balancer.dataPath());
      for (int flow : order) {
        open(flow, pool.frames[0]);
      }
    }
    refill();
    int forwarded = driver != null ? driver.singleFrames(pool.frames, links) : plainFrames();
    if (forwarded != FramePool.SIZE) {
      throw new IllegalStateException(FramePool.SIZE - forwarded + " frames were not forwarded");
    }
    refill();
  }

  private void open(int flow, ByteBuf frame) {
    pool.write(frame, flow, TcpHeader.SYN);
    driver.forward(OUTSIDE, frame);
    servers[flow] =
        all.isV6()
            ? frame.getLong(14 + Ipv6Header.DESTINATION_OFFSET + 8)
            : frame.getUnsignedInt(14 + Ipv4Header.DESTINATION_OFFSET);
    writeReply(frame, flow, TcpHeader.SYN | TcpHeader.ACK);
    driver.forward(INSIDE, frame);
    pool.write(frame, flow, TcpHeader.ACK);
    driver.forward(OUTSIDE, frame);
  }

  private void openPlain(int flow) {
    int machine = (all.service(flow) * SERVERS + flow % SERVERS) % MACHINES;
    servers[flow] = (all.isV6() ? 0 : SERVERS_V4) + FIRST_MACHINE + machine;
    PlainFlowKey request =
        key(all.sourceHigh(), all.sourceLow(flow), all.destinationHigh(), all.destinationLow(flow), all.ports(flow));
    PlainFlowKey translated =
        key(all.sourceHigh(), all.sourceLow(flow), serverHigh(), servers[flow], serverPorts(flow));
    plain.put(request, new PlainNat.Direction(translated, ROUTER_MAC));
    plain.put(turned(translated), new PlainNat.Direction(turned(request), ROUTER_MAC));
  }

  private static PlainFlowKey key(long sourceHigh, long source, long destinationHigh, long destination, int ports) {
    return new PlainFlowKey(sourceHigh, source, destinationHigh, destination, ports, IpProtocol.TCP);
  }

  private static PlainFlowKey turned(PlainFlowKey key) {
    return key(
        key.destinationHigh(),
        key.destinationLow(),
        key.sourceHigh(),
        key.sourceLow(),
        Integer.rotateLeft(key.ports(), 16));
  }

  private long serverHigh() {
    return all.isV6() ? 0x2001_0DB8_0009_0000L : 0;
  }

  private int serverPorts(int flow) {
    return all.ports(flow) & 0xFFFF_0000 | FIRST_SERVER_PORT + all.service(flow);
  }

  private void writeReply(ByteBuf frame, int flow, int tcpFlags) {
    int ports = Integer.rotateLeft(serverPorts(flow), 16);
    pool.write(frame, serverHigh(), servers[flow], all.sourceHigh(), all.sourceLow(flow), ports, tcpFlags);
  }

  private static LoadBalancer balancer(boolean v6, int services, int capacity) {
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface(
                "eth0",
                i -> i.mac(FramePool.BALANCER_MAC).address("192.0.2.5/24", "2001:db8:5::5/64").hostStack(false))
            .networkInterface(
                "eth1",
                i -> i.mac(FramePool.BALANCER_MAC).address("198.18.0.5/24", "2001:db8:9::5/64").hostStack(false))
            .route("0.0.0.0/0", "192.0.2.1")
            .route("::/0", "2001:db8:5::1")
            .neighbor("192.0.2.1", "02:00:00:00:00:01")
            .neighbor("2001:db8:5::1", "02:00:00:00:00:01")
            .announcements(AnnouncementSettings.off())
            .flowTable(capacity)
            .seed(7)
            .clock(() -> DsrNetwork.START_NS);
    for (int machine = 0; machine < MACHINES; machine++) {
      builder.neighbor(address(v6, machine), String.format("02:00:00:00:01:%02x", machine));
    }
    for (int service = 0; service < services; service++) {
      int port = FIRST_SERVER_PORT + service;
      VirtualServiceBuilder declared =
          VirtualService.tcp(Flows.vip(v6, service), Flows.servicePort(service))
              .named("service-" + service)
              .forwarding(Gateway.create());
      for (int server = 0; server < SERVERS; server++) {
        declared.realServer(
            "server-" + server, address(v6, (service * SERVERS + server) % MACHINES), s -> s.port(port));
      }
      builder.service(declared);
    }
    return builder.build();
  }

  private static String address(boolean v6, int machine) {
    int host = FIRST_MACHINE + machine;
    return v6 ? "2001:db8:9::" + Integer.toHexString(host) : "198.18.0." + host;
  }

  /** Writes the next 4,096 frames; not measured. */
  @Setup(Level.Invocation)
  public void refill() {
    for (int i = 0; i < FramePool.SIZE; i++) {
      int flow = order[position];
      position = position + 1 == order.length ? 0 : position + 1;
      if (links[i] == OUTSIDE) {
        pool.write(pool.frames[i], flow, TcpHeader.ACK);
      } else {
        writeReply(pool.frames[i], flow, TcpHeader.ACK);
      }
    }
    pool.evict();
  }

  /** Gives the memory back. */
  @TearDown
  public void close() {
    if (balancer != null) {
      driver.path.close();
      balancer.close();
    }
    pool.release();
  }

  /** Batches of 32, as a worker does. */
  @Benchmark
  public int batches() {
    return driver.batches(pool.frames, links);
  }

  /** One frame after another, as an embedding that has no bursts does. */
  @Benchmark
  public int singleFrames() {
    return driver.singleFrames(pool.frames, links);
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
}

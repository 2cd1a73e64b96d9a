package io.lb4j.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.lb4j.core.LoadBalancer;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
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
 * The first frame of a flow, Direct Server Return: looked for in vain, its service found, its server chosen or
 * remembered, entered into the table, rewritten. 64 services with four servers each. The table holds established flows
 * throughout: the new flows of a pass of 4,096 are taken out again before the next one, which is not measured; nor is
 * the writing of the frames. No flow expires meanwhile; the sweep's share is measured.
 *
 * <p>With persistence every new flow is of a client that its service knows, from one of 65,536 addresses; as many
 * clients are known as there are established flows.
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
public class NewFlowBenchmark {
  private static final int SERVERS = 4;
  private static final int TURNS = 100;

  /** Established flows; 10,000,000 without persistence. */
  @Param({"65536", "1048576"})
  public int flows;

  /** IP version. */
  @Param({"4", "6"})
  public int family;

  /** Whether services remember their clients, {@code none} or {@code source-ip}. */
  @Param({"none", "source-ip"})
  public String persistence;

  private Flows all;
  private FramePool pool;
  private LoadBalancer balancer;
  private Driver driver;
  private PlainDsr plain;
  private int[] order;
  private int[] numbers; // of the flows in the frames
  private int position;
  private int turn;
  private boolean begun;

  /**
   * Makes what is measured and lets it know every flow and client.
   *
   * @param running tells what is measured
   */
  @Setup
  public void establish(BenchmarkParams running) {
    boolean remembers = persistence.equals("source-ip");
    all = new Flows(family == 6, remembers ? Flows.MOST_CLIENTS : Flows.CLIENTS, Flows.SERVICES);
    pool = new FramePool(all);
    order = Flows.shuffled(flows);
    numbers = new int[FramePool.SIZE];
    if (running.getBenchmark().contains("baseline")) {
      plain = baseline(remembers);
    } else {
      balancer = balancer(remembers);
      driver = new Driver(balancer.dataPath());
    }
    for (int flow : order) {
      establish(pool.frames[0], flow);
    }
  }

  private LoadBalancer balancer(boolean remembers) {
    return DsrNetwork.embedded(
        DsrNetwork.builder(
            family == 6,
            Flows.SERVICES,
            SERVERS,
            flows + flows / 4 + FramePool.SIZE,
            service -> remembers ? service.persistence(SourceIpPersistence.create().capacity(2L * flows)) : service),
        family == 6,
        SERVERS);
  }

  private PlainDsr baseline(boolean remembers) {
    Cache<PlainDsr.Client, PlainDsr.Server> clients =
        remembers ? Caffeine.newBuilder().maximumSize(2L * flows).build() : null;
    PlainDsr made = new PlainDsr(FramePool.BALANCER_MAC_BITS, new HashMap<>(), clients);
    for (int service = 0; service < Flows.SERVICES; service++) {
      PlainDsr.Server[] servers = new PlainDsr.Server[SERVERS];
      for (int i = 0; i < SERVERS; i++) {
        servers[i] = new PlainDsr.Server(DsrNetwork.machineMac((service * SERVERS + i) % DsrNetwork.LEAST_MACHINES));
      }
      int flow = service; // the first flow of the client with that number is to the service with that number
      made.put(
          new PlainDsr.Destination(all.destinationHigh(), all.destinationLow(flow), Flows.servicePort(service)),
          new PlainDsr.Service(servers));
    }
    return made;
  }

  private void establish(ByteBuf frame, int flow) {
    pool.write(frame, flow, TcpHeader.SYN);
    if (driver == null) {
      plain.process(frame, 0);
      return;
    }
    driver.forward(0, frame);
    pool.write(frame, flow, TcpHeader.ACK);
    driver.forward(0, frame);
  }

  /** Takes the last new flows out and writes the frames of the next; not measured. */
  @Setup(Level.Invocation)
  public void renew() {
    if (begun) {
      endLast();
    }
    begun = true;
    for (int i = 0; i < FramePool.SIZE; i++) {
      numbers[i] = all.another(order[position], flows, turn);
      if (++position == order.length) {
        position = 0;
        turn = (turn + 1) % TURNS;
      }
      pool.write(pool.frames[i], numbers[i], TcpHeader.SYN);
    }
    pool.evict();
  }

  private void endLast() {
    for (int i = 0; i < FramePool.SIZE; i++) {
      pool.write(pool.frames[i], numbers[i], TcpHeader.SYN);
      if (driver != null) {
        driver.end(0, pool.frames[i]);
      } else {
        plain.end(pool.frames[i]);
      }
    }
  }

  /** Gives the memory back; every frame must have begun a flow. */
  @TearDown
  public void close() {
    if (balancer != null) {
      int held = driver.path.flows().size();
      if (held != flows + FramePool.SIZE) {
        throw new IllegalStateException("flows after the last pass: " + held);
      }
      driver.path.close();
      balancer.close();
    }
    pool.release();
  }

  /** Batches of 32. */
  @Benchmark
  public int batches() {
    return driver.batches(pool.frames);
  }

  /** One frame after another. */
  @Benchmark
  public int singleFrames() {
    return driver.singleFrames(pool.frames);
  }

  /** Flows, services and, with Caffeine, clients in maps. */
  @Benchmark
  public int baselineHashMap() {
    int forwarded = 0;
    for (ByteBuf frame : pool.frames) {
      forwarded += plain.process(frame, position) ? 1 : 0;
    }
    return forwarded;
  }
}

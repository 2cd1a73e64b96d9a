package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.ServiceControl;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.RealServer;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A balancer with a worker of its own, between the rings of a port in memory. */
@Timeout(60)
class RunningBalancerTest {
  private static final int FLOWS = 64;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private final MemoryPort port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 1024);

  private static String server(boolean v6, int n) {
    return Lan.server(v6, n);
  }

  private LoadBalancer balancer(boolean v6) {
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
        .neighbor(server(v6, 1), Lan.mac(1))
        .neighbor(server(v6, 2), Lan.mac(2))
        .neighbor(server(v6, 3), Lan.mac(3))
        .announcements(AnnouncementSettings.off())
        .flowTable(65_536)
        .service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 2))
        .build();
  }

  private static ByteBuf segment(boolean v6, int port, int flags) {
    return FrameBuilder.from(v6 ? "2001:db8:c::1" : "198.51.100.1", v6 ? "2001:db8:5::100" : "192.0.2.100")
        .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
        .tcp(port, 80, flags)
        .numbers(flags == TcpHeader.SYN ? 1 : 2, 0)
        .padTo(60)
        .build();
  }

  private void offer(ByteBuf frame) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.offer(0, frame, FrameMarks.NONE)) {
      assertThat(System.nanoTime() - end).as("the ring stayed full").isNegative();
      Thread.onSpinWait();
    }
  }

  private String next() {
    AtomicReference<String> got = new AtomicReference<>();
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.poll(0, (buffer, start, length, marks) -> got.set(ByteBufUtil.hexDump(buffer, start, length)))) {
      assertThat(System.nanoTime() - end).as("no frame came").isNegative();
      Thread.onSpinWait();
    }
    return got.get();
  }

  private static void assertLaws(Statistics statistics) {
    assertThat(statistics.holds()).as("received = verdicts + held").isTrue();
    assertThat(statistics.allSent()).as("forwarded + answered + originated = transmitted + refused").isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldGiveBackEveryFrameRewrittenAndCountIt(boolean v6) {
    LoadBalancer balancer = balancer(v6);
    balancer.start();
    Map<Integer, String> placed = new HashMap<>();
    for (int n = 0; n < 2_000; n++) {
      int client = 4000 + n % FLOWS;
      ByteBuf frame = segment(v6, client, n < FLOWS ? TcpHeader.SYN : TcpHeader.ACK);
      offer(frame);
      String out = next();
      assertThat(out.substring(24)).isEqualTo(ByteBufUtil.hexDump(frame).substring(24));
      assertThat(out.substring(12, 24)).isEqualTo(Lan.LB_MAC.replace(":", ""));
      assertThat(placed.computeIfAbsent(client, key -> out.substring(0, 12))).isEqualTo(out.substring(0, 12));
    }
    assertThat(placed.values().stream().distinct()).hasSize(2);
    balancer.close();
    Statistics end = balancer.statistics();
    assertThat(end.received()).isEqualTo(2_000);
    assertThat(end.count(Verdict.FORWARD)).isEqualTo(2_000);
    assertLaws(end);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLoseNoFrameAndMoveNoFlowWhileAThousandChangesArePublished(boolean v6) throws InterruptedException {
    LoadBalancer balancer = balancer(v6);
    balancer.start();
    Map<Integer, String> placed = new HashMap<>();
    for (int n = 0; n < FLOWS; n++) {
      offer(segment(v6, 4000 + n, TcpHeader.SYN));
      placed.put(4000 + n, next().substring(0, 12));
    }
    AtomicBoolean changing = new AtomicBoolean(true);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    AtomicLong changes = new AtomicLong();
    Thread operator =
        new Thread(
            () -> {
              try {
                change(balancer.service("web"), v6, changes);
              } catch (RuntimeException e) {
                failure.set(e);
              } finally {
                changing.set(false);
              }
            });
    operator.start();
    long frames = FLOWS;
    while (changing.get()) {
      for (int n = 0; n < FLOWS; n++) {
        offer(segment(v6, 4000 + n, TcpHeader.ACK));
        assertThat(next().substring(0, 12)).isEqualTo(placed.get(4000 + n));
        frames++;
      }
    }
    operator.join();
    assertThat(failure.get()).isNull();
    assertThat(changes.get()).isEqualTo(1_000);
    balancer.close();
    Statistics end = balancer.statistics();
    assertThat(end.count(Verdict.FORWARD)).isEqualTo(frames);
    assertThat(end.received()).isEqualTo(frames);
    assertLaws(end);
  }

  private static void change(ServiceControl web, boolean v6, AtomicLong changes) {
    for (int round = 0; round < 250; round++) {
      web.realServer("s1").weight(1 + round % 5);
      web.addRealServer(new RealServer.Options().build("s3", IpAddress.of(server(v6, 3))));
      if (round % 2 == 0) {
        web.realServer("s2").drain();
      } else {
        web.realServer("s2").online();
      }
      web.removeRealServer("s3");
      changes.addAndGet(4);
    }
  }
}

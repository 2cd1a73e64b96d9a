package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.port.MemoryPort;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A new client's connections reach several workers at once: persistence gives them all one server. */
@Timeout(60)
class FirstFlowsTogetherTest {
  private static final int WORKERS = 2;
  private static final int CLIENTS = 200;
  private static final int SECONDS = 10;

  private final MemoryPort port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), WORKERS, 1024);
  private final Map<Integer, Set<Long>> serversOf = new HashMap<>(); // MAC addresses by client
  private boolean v6;
  private long offered;

  /** Every worker has a server of its own, and picks it when the others are about to pick theirs. */
  private static PickingScheduler meeting() {
    CyclicBarrier barrier = new CyclicBarrier(WORKERS);
    return new PickingScheduler(() -> {
      try {
        barrier.await(SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
        throw new IllegalStateException(e);
      }
      return Thread.currentThread().getName().equals("lb4j-worker-0") ? 0 : 1;
    });
  }

  private LoadBalancer balancer(String limit) {
    VirtualServiceBuilder service =
        Lan.tcp(v6).scheduler(meeting()).persistence(SourceIpPersistence.create());
    ConnectionLimit all = ConnectionLimit.of(2 * WORKERS * CLIENTS); // two rounds
    for (int n = 1; n <= WORKERS; n++) {
      ConnectionLimit own = limit.equals("servers") ? all : ConnectionLimit.NONE;
      service.realServer("s" + n, Lan.server(v6, n), s -> s.limit(own));
    }
    if (limit.equals("service")) {
      service.maxConnections(all, Overflow.DROP);
    }
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
        .neighbor(Lan.server(v6, 1), Lan.mac(1))
        .neighbor(Lan.server(v6, 2), Lan.mac(2))
        .announcements(AnnouncementSettings.off())
        .flowTable(8_192)
        .workers(WORKERS)
        .service(service)
        .build();
  }

  private void offer(int clientPort) {
    for (int client = 1; client <= CLIENTS; client++) {
      for (int queue = 0; queue < WORKERS; queue++) {
        ByteBuf frame =
            FrameBuilder.from((v6 ? "2001:db8:c::" : "198.51.100.") + client, Lan.vip(v6))
                .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
                .tcp(clientPort + queue, 80, TcpHeader.SYN)
                .padTo(60)
                .build();
        assertThat(port.offer(queue, frame, FrameMarks.NONE)).isTrue();
        frame.release();
        offered++;
      }
    }
  }

  private void take(ByteBuf frame, int start) {
    int client = start + (v6 ? 14 + 8 + 14 : 14 + 12 + 2); // the last two bytes of the source
    long mac = frame.getLong(start) >>> 16;
    serversOf.computeIfAbsent(frame.getUnsignedShort(client), key -> new HashSet<>()).add(mac);
  }

  private Statistics settle(LoadBalancer balancer) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2 * SECONDS);
    Statistics now = balancer.statistics();
    while (now.received() != offered || !now.holds() || !now.allSent()) {
      assertThat(System.nanoTime() - end).as("%s of %s", now.received(), offered).isNegative();
      Thread.onSpinWait();
      now = balancer.statistics();
    }
    for (int queue = 0; queue < WORKERS; queue++) {
      boolean more = true;
      while (more) {
        more = port.poll(queue, (buffer, start, length, marks) -> take(buffer, start));
      }
    }
    return now;
  }

  @ParameterizedTest
  @CsvSource({"false, none", "true, none", "false, service", "true, service", "false, servers", "true, servers"})
  void shouldGiveAClientOneServer(boolean six, String limit) {
    v6 = six;
    try (LoadBalancer balancer = balancer(limit)) {
      offer(4000);
      balancer.start();
      settle(balancer);
      assertThat(serversOf).hasSize(CLIENTS).allSatisfy((client, servers) -> assertThat(servers).hasSize(1));
      offer(5000); // nobody has to be picked for
      Statistics end = settle(balancer);
      assertThat(serversOf).allSatisfy((client, servers) -> assertThat(servers).hasSize(1));
      assertThat(end.count(Verdict.FORWARD)).as("places were given back").isEqualTo(offered);
    }
  }
}

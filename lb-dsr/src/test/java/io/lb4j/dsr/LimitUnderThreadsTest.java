package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Limits hold to the connection while eight workers take places at once (VS5, SC16, PR5). */
@Timeout(120)
class LimitUnderThreadsTest {
  private static final int WORKERS = 8;
  private static final int LIMIT = 600;
  private static final int RESUME_AT = 500;
  private static final int SERVERS = 3;
  private static final int PORTS_OF_A_QUEUE = 4_000;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);

  private final MemoryPort port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), WORKERS, 1024);
  private final int[] nextPort = new int[WORKERS];
  private boolean v6;
  private long offered;

  private LoadBalancer balancer(boolean ofServers) {
    VirtualServiceBuilder service = Lan.tcp(v6);
    for (int n = 1; n <= SERVERS; n++) {
      ConnectionLimit own = ofServers ? ConnectionLimit.of(LIMIT / SERVERS) : ConnectionLimit.NONE;
      service.realServer("s" + n, server(n), s -> s.limit(own));
    }
    if (!ofServers) {
      service.maxConnections(new ConnectionLimit(LIMIT, RESUME_AT), Overflow.DROP);
    }
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
        .neighbor(server(1), Lan.mac(1))
        .neighbor(server(2), Lan.mac(2))
        .neighbor(server(3), Lan.mac(3))
        .announcements(AnnouncementSettings.off())
        .flowTable(8_192)
        .workers(WORKERS)
        .service(service)
        .build();
  }

  private String server(int n) {
    return Lan.server(v6, n);
  }

  private void offer(int queue, int clientPort, int flags) {
    FrameBuilder frame =
        FrameBuilder.from(v6 ? "2001:db8:c::1" : "198.51.100.1", v6 ? "2001:db8:5::100" : "192.0.2.100")
            .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
            .tcp(clientPort, 80, flags)
            .numbers(flags == TcpHeader.SYN ? 1 : 2, 0)
            .padTo(60);
    assertThat(port.offer(queue, frame.build(), FrameMarks.NONE)).isTrue();
    offered++;
  }

  private void offerNew(int perQueue) {
    for (int i = 0; i < perQueue; i++) {
      for (int queue = 0; queue < WORKERS; queue++) {
        offer(queue, 1024 + queue * PORTS_OF_A_QUEUE + nextPort[queue]++, TcpHeader.SYN);
      }
    }
  }

  /** Waits for the workers; at no instant more than the limit is active. */
  private Statistics settle(LoadBalancer balancer) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (true) {
      Statistics now = balancer.statistics();
      assertThat(active(now)).isLessThanOrEqualTo(LIMIT);
      if (now.received() == offered && now.holds() && now.allSent()) {
        return now;
      }
      assertThat(System.nanoTime() - end).as("%s of %s", now.received(), offered).isNegative();
    }
  }

  private static long active(Statistics statistics) {
    return statistics.services().get(0).servers().stream().mapToLong(server -> server.counts().active()).sum();
  }

  /** The client ports of the frames that came out, since the last time. */
  private List<Integer> accepted() {
    List<Integer> ports = new ArrayList<>();
    int transport = v6 ? 54 : 34;
    for (int queue = 0; queue < WORKERS; queue++) {
      boolean more = true;
      while (more) {
        more = port.poll(queue, (buffer, start, length, marks) -> ports.add(buffer.getUnsignedShort(start + transport)));
      }
    }
    return ports;
  }

  @ParameterizedTest
  @CsvSource({"false, false", "true, false", "false, true", "true, true"})
  void shouldAcceptExactlyTheLimit(boolean six, boolean ofServers) {
    v6 = six;
    try (LoadBalancer balancer = balancer(ofServers)) {
      offerNew(3 * LIMIT / WORKERS);
      balancer.start();
      Statistics full = settle(balancer);
      assertThat(full.count(Verdict.FORWARD)).isEqualTo(LIMIT);
      assertThat(full.count(Verdict.CONNECTION_LIMIT)).isEqualTo(2 * LIMIT);
      assertThat(active(full)).isEqualTo(LIMIT);
      List<Integer> first = accepted();
      assertThat(first).hasSize(LIMIT).doesNotHaveDuplicates();
      if (ofServers) {
        full.services().get(0).servers()
            .forEach(server -> assertThat(server.counts().active()).isEqualTo(LIMIT / SERVERS));
      }
      closeAndOpenAgain(balancer, first, ofServers);
    }
  }

  /** A hundred and twenty close: a lower bound of 500 opens the service again, for as many. */
  private void closeAndOpenAgain(LoadBalancer balancer, List<Integer> open, boolean ofServers) {
    int closing = LIMIT / 5;
    if (!ofServers) {
      reset(open.subList(0, LIMIT - RESUME_AT - 1));
      settle(balancer);
      offerNew(10);
      Statistics shut = settle(balancer);
      assertThat(active(shut)).as("above the lower bound nothing opens").isEqualTo(RESUME_AT + 1);
      reset(open.subList(LIMIT - RESUME_AT - 1, closing));
    } else {
      reset(open.subList(0, closing));
    }
    assertThat(active(settle(balancer))).isEqualTo(LIMIT - closing);
    accepted();
    offerNew(3 * closing / WORKERS);
    assertThat(active(settle(balancer))).isEqualTo(LIMIT);
    assertThat(accepted()).hasSize(closing);
  }

  private void reset(List<Integer> clientPorts) {
    clientPorts.forEach(client -> offer((client - 1024) / PORTS_OF_A_QUEUE, client, TcpHeader.RST));
  }
}

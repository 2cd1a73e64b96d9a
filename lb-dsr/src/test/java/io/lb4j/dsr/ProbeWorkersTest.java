package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Probes of a balancer with several workers: the first one asks, and any of them hears the answer. */
@Timeout(120)
class ProbeWorkersTest {
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final int PROBES = 90;

  private MemoryPort port;
  private boolean v6;
  private int turn;

  private LoadBalancer start(int workers, int queues) {
    port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), queues, 1024);
    LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .announcements(AnnouncementSettings.off())
            .flowTable(1024)
            .workers(workers)
            .service(Lan.withServers(Lan.tcp(v6), v6, 3))
            .build();
    balancer.start();
    return balancer;
  }

  private String own() {
    return v6 ? "2001:db8:5::5" : "192.0.2.5";
  }

  private String vip() {
    return v6 ? "2001:db8:5::100" : "192.0.2.100";
  }

  private String server(int n) {
    return Lan.server(v6, n);
  }

  /** All servers, which have one MAC address. Their frames come in by the queues in turn. */
  private void serve(ByteBuf bytes) {
    Asked.Frame frame = new Asked.Frame(bytes, bytes.getUnsignedShort(12) == 0x86DD);
    if (bytes.getUnsignedShort(12) == 0x0806) {
      offer(arpReply(bytes));
    } else if (frame.isSolicitation()) {
      offer(advertisement(bytes));
    } else if (frame.isEcho()) {
      offer(from(frame.target()).icmp(v6 ? 129 : 0, 0, frame.echoed()).build());
    } else if (frame.protocol() == IpProtocol.UDP) {
      offer(from(frame.target()).icmp(v6 ? 1 : 3, v6 ? 4 : 3, frame.quote()).build());
    } else if (frame.tcpFlags() == TcpHeader.SYN) {
      FrameBuilder answer = from(frame.target()).tcp(80, frame.port(), TcpHeader.SYN | TcpHeader.ACK);
      offer(answer.numbers(7, frame.sequence() + 1).build());
    }
  }

  private FrameBuilder from(String address) {
    return FrameBuilder.from(address, own()).macs(Lan.LB_MAC, Lan.mac(1)).padTo(60);
  }

  private static ByteBuf arpReply(ByteBuf request) {
    ByteBuf reply = request.copy();
    byte[] target = new byte[4];
    request.getBytes(38, target);
    NeighborScenarioTest.setMac(reply, 0, Lan.LB_MAC);
    NeighborScenarioTest.setMac(reply, 6, Lan.mac(1));
    reply.setShort(20, 2);
    NeighborScenarioTest.setMac(reply, 22, Lan.mac(1));
    reply.setBytes(28, target);
    NeighborScenarioTest.setMac(reply, 32, Lan.LB_MAC);
    reply.setBytes(38, IpAddress.of("192.0.2.5").octets());
    return reply;
  }

  private ByteBuf advertisement(ByteBuf solicitation) {
    byte[] target = new byte[16];
    solicitation.getBytes(14 + 40 + 8, target);
    byte[] message = NeighborScenarioTest.message(0x6000_0000, IpAddress.of(target).toString(), 2, Lan.mac(1));
    return from(IpAddress.of(target).toString()).timeToLive(255).icmp(136, 0, message).build();
  }

  private void offer(ByteBuf frame) {
    assertThat(port.offer(turn++ % port.queues(), frame, FrameMarks.NONE)).isTrue();
  }

  private void serveUntil(Map<Integer, ProbeResult> results) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (results.size() < PROBES) {
      assertThat(System.nanoTime() - end).as("%s of %s", results.size(), PROBES).isNegative();
      for (int queue = 0; queue < port.queues(); queue++) {
        port.poll(queue, (buffer, start, length, marks) -> serve(Unpooled.copiedBuffer(buffer.slice(start, length))));
      }
      Thread.onSpinWait();
    }
  }

  @ParameterizedTest
  @CsvSource({"false, 1, 1", "true, 1, 1", "false, 4, 1", "true, 4, 1", "false, 4, 4", "true, 4, 4"})
  void shouldHearTheAnswerAtAnyWorker(boolean six, int workers, int queues) {
    v6 = six;
    LoadBalancer balancer = start(workers, queues);
    Map<Integer, ProbeResult> results = new ConcurrentHashMap<>();
    for (int i = 0; i < PROBES; i++) {
      int probe = i;
      IpAddress server = IpAddress.of(server(1 + i % 9));
      if (i % 3 == 0) {
        balancer.frameProber().ping(server, TIMEOUT, result -> results.put(probe, result));
      } else {
        balancer
            .frameProber()
            .direct(IpAddress.of(vip()), 80, i % 3 == 1, server, TIMEOUT, result -> results.put(probe, result));
      }
    }
    serveUntil(results);
    results.forEach(
        (probe, result) ->
            assertThat(result.reason())
                .as("%s", result)
                .isEqualTo(probe % 3 == 2 ? ProbeReason.REFUSED : ProbeReason.ANSWERED));
    balancer.close();
    Statistics end = balancer.statistics();
    assertThat(end.holds()).isTrue();
    assertThat(end.held()).isZero();
    assertThat(end.allSent()).isTrue();
    assertThat(end.count(Verdict.FORWARD)).as("no probe became a flow").isZero();
    assertThat(end.count(Verdict.PROBE_ANSWERED)).isGreaterThanOrEqualTo(PROBES);
  }
}

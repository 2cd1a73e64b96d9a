package io.lb4j.gateway;

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
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Probes that are frames, beside a translator that would have all that crosses. */
@Timeout(60)
class FrameProbeTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(2);
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private final List<ProbeResult> results = new ArrayList<>();

  private static FrameBuilder echoReply(Network net, Packet request) {
    byte[] rest = new byte[12];
    System.arraycopy(request.bytes, request.transport + 4, rest, 0, rest.length);
    return net.from(1, net.own(Network.INSIDE)).icmp(net.v6 ? 129 : 0, 0, rest);
  }

  private void ping(Network net, String server) {
    net.balancer.frameProber().ping(IpAddress.of(server), TIMEOUT, results::add);
  }

  @BothFamilies
  void shouldPingServersAndHostsBeyondTheRouter(boolean v6) {
    try (Network net = Network.options(v6).nat(b -> b).service(Network.web(v6, 2)).open()) {
      ping(net, net.inside(1));
      List<Packet> sent = net.after(Duration.ZERO);
      assertThat(sent).hasSize(1);
      assertThat(sent.get(0).link).isEqualTo(Network.INSIDE);
      assertThat(net.fromInside(echoReply(net, sent.get(0))).verdict()).isEqualTo(Verdict.PROBE_ANSWERED);
      assertThat(results).containsExactly(ProbeResult.answered(0));

      results.clear();
      ping(net, net.peer(1));
      Packet beyond = net.after(Duration.ZERO).get(0);
      assertThat(beyond.link).isEqualTo(Network.OUTSIDE);
      byte[] quote = new byte[4 + beyond.bytes.length - beyond.network];
      System.arraycopy(beyond.bytes, beyond.network, quote, 4, quote.length - 4);
      FrameBuilder error = net.to(net.own(Network.OUTSIDE), net.router()).icmp(v6 ? 1 : 3, v6 ? 0 : 1, quote);
      assertThat(net.fromOutside(error).verdict()).isEqualTo(Verdict.PROBE_ANSWERED);
      assertThat(results).hasSize(1);
      assertThat(results.get(0).reason()).isEqualTo(ProbeReason.UNREACHABLE);
      assertThat(net.path.sessions()).isZero();
    }
  }

  private Packet syn(Network net) {
    IpAddress vip = IpAddress.of(net.vip());
    net.balancer.frameProber().direct(vip, 80, true, IpAddress.of(net.inside(1)), TIMEOUT, results::add);
    return net.after(Duration.ZERO).stream().filter(sent -> sent.protocol == Packet.TCP).findFirst().orElseThrow();
  }

  private static FrameBuilder synAck(Network net, Packet syn) {
    int port = Unpooled.wrappedBuffer(syn.bytes).getUnsignedShort(syn.transport);
    int sequence = Unpooled.wrappedBuffer(syn.bytes).getInt(syn.transport + TcpHeader.SEQUENCE_OFFSET);
    return FrameBuilder.from(net.vip(), net.own(Network.INSIDE))
        .macs(Network.INSIDE_MAC, Network.mac(1))
        .tcp(80, port, TcpHeader.SYN | TcpHeader.ACK)
        .numbers(5, sequence + 1);
  }

  @BothFamilies
  void shouldHearADirectServiceBesideATranslator(boolean v6) {
    try (Network net =
        Network.options(v6).nat(b -> b).service(DirectRouting.service(v6, true, new DirectRouting())).open()) {
      Packet syn = syn(net);
      assertThat(net.fromInside(synAck(net, syn)).verdict()).isEqualTo(Verdict.PROBE_ANSWERED);
      assertThat(results).containsExactly(ProbeResult.answered(0));
      assertThat(net.fromInside(synAck(net, syn)).verdict()).isEqualTo(Verdict.PASS);
    }
  }

  @BothFamilies
  void shouldKnowItsOwnProbeBeforeItIsTakenForAForgedOne(boolean v6) {
    try (Network net =
        Network.options(v6).nat(b -> b).service(DirectRouting.service(v6, true, new DirectRouting())).open()) {
      Packet syn = syn(net);
      ByteBuf back = Unpooled.copiedBuffer(syn.bytes);
      back.setBytes(0, Unpooled.copiedBuffer(syn.bytes), 6, 6).setBytes(6, syn.bytes, 0, 6);
      assertThat(net.process(Network.INSIDE, back.copy()).verdict()).isEqualTo(Verdict.OWN_FRAME);
      assertThat(results).hasSize(1);
      assertThat(results.get(0).reason()).isEqualTo(ProbeReason.DSR_VIP_MISSING);
      assertThat(net.process(Network.INSIDE, back).verdict()).isEqualTo(Verdict.SOURCE_SPOOFED);
    }
  }

  // ---- several workers -----------------------------------------------------------------------------------------

  private static LoadBalancer start(boolean v6, MemoryPort outside, MemoryPort inside) {
    LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(outside).address("198.51.100.5/24", "2001:db8:c::5/64"))
            .networkInterface("eth1", i -> i.port(inside).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .announcements(AnnouncementSettings.off())
            .workers(4)
            .neighbor(Network.inside(v6, 1), Network.mac(1))
            .outbound(Outbound.builder().nat(Network.prefix(v6), Network.external(v6, 1)).build())
            .service(Network.web(v6, 1))
            .build();
    balancer.start();
    return balancer;
  }

  private static void answer(boolean v6, MemoryPort port, Packet request) {
    byte[] rest = new byte[12];
    System.arraycopy(request.bytes, request.transport + 4, rest, 0, rest.length);
    FrameBuilder reply =
        FrameBuilder.from(Network.inside(v6, 1), v6 ? "2001:db8:5::5" : "192.0.2.5")
            .macs(Network.INSIDE_MAC, Network.mac(1))
            .icmp(v6 ? 129 : 0, 0, rest);
    ByteBuf frame = reply.build();
    assertThat(port.offer(0, frame, FrameMarks.NONE)).isTrue();
    frame.release();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldHearAnswersAtTheWorkersThatAreSteeredTo(boolean v6) {
    MemoryPort outside = new MemoryPort("eth0", MacAddress.of(Network.OUTSIDE_MAC), 1, 256);
    MemoryPort inside = new MemoryPort("eth1", MacAddress.of(Network.INSIDE_MAC), 1, 256);
    LoadBalancer balancer = start(v6, outside, inside);
    Map<Integer, ProbeResult> ended = new ConcurrentHashMap<>();
    for (int i = 0; i < 50; i++) {
      int probe = i;
      IpAddress server = IpAddress.of(Network.inside(v6, 1));
      balancer.frameProber().ping(server, Duration.ofSeconds(10), result -> ended.put(probe, result));
    }
    long end = System.nanoTime() + PATIENCE_NS;
    while (ended.size() < 50) {
      assertThat(System.nanoTime() - end).as("%s", ended).isNegative();
      inside.poll(
          0,
          (buffer, start, length, marks) -> answer(v6, inside, Packet.of(Unpooled.copiedBuffer(buffer.slice(start, length)))));
    }
    assertThat(ended.values()).allMatch(ProbeResult::ok);
    balancer.close();
    Statistics statistics = balancer.statistics();
    assertThat(statistics.holds()).isTrue();
    assertThat(statistics.held()).isZero();
    assertThat(statistics.count(Verdict.PROBE_ANSWERED)).isEqualTo(50);
    assertThat(statistics.allSent()).isTrue();
  }
}

package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowRecord.Kind;
import io.lb4j.flow.TakeOver;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.port.MemoryPort;
import io.lb4j.schedule.Schedulers;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.FlowPage;
import io.lb4j.state.RestoreReport;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** State of a gateway, listed, ended, and carried to another one as a stream. */
@Timeout(120)
class SavedStateTest {
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private static byte[] save(LoadBalancer balancer) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      balancer.saveState(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static RestoreReport restore(LoadBalancer balancer, byte[] saved) {
    try {
      return balancer.restoreState(new ByteArrayInputStream(saved));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<FlowEntry> flows(LoadBalancer balancer, FlowFilter filter) {
    return balancer.flows(filter, 0, 100_000).flows();
  }

  // ---- every kind of session ---------------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({"false,11", "true,12"})
  void shouldCarryEverySessionThroughAStream(boolean v6, long seed) {
    Conversations traffic = new Conversations(v6, seed);
    SplittableRandom random = new SplittableRandom(seed);
    try (Network saved = Conversations.network(v6, 7, new MappingBook()).open();
        Network fresh = Conversations.network(v6, 8, new MappingBook()).open()) {
      for (int round = 0; round < 1_500; round++) {
        Conversations.Frame frame = traffic.next();
        traffic.arrived(saved.process(frame.link(), frame.frame().build()).sent());
        if (random.nextInt(80) == 0) {
          saved.afterSeconds(random.nextInt(20));
        }
      }
      fresh.nowNs = saved.nowNs;
      fresh.after(Duration.ZERO);
      RestoreReport report = restore(fresh.balancer, save(saved.balancer));
      List<FlowRecord> records = SavedSessionsTest.list(saved);
      assertThat(report.flows()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, (long) records.size()));
      assertThat(SavedSessionsTest.list(fresh)).containsExactlyInAnyOrderElementsOf(records).hasSizeGreaterThan(80);
      assertThat(flows(fresh.balancer, FlowFilter.all()))
          .containsExactlyInAnyOrderElementsOf(flows(saved.balancer, FlowFilter.all()));
    }
  }

  @ParameterizedTest
  @CsvSource({"false,1", "true,3", "false,1000"})
  void shouldListSessionsPageByPageAndByKind(boolean v6, int limit) {
    Conversations traffic = new Conversations(v6, 5);
    try (Network net = Conversations.network(v6, 7, new MappingBook()).open()) {
      for (int round = 0; round < 600; round++) {
        Conversations.Frame frame = traffic.next();
        traffic.arrived(net.process(frame.link(), frame.frame().build()).sent());
      }
      Set<FlowEntry> listed = flows(net.balancer, FlowFilter.all()).stream().collect(Collectors.toSet());
      assertThat(listed).hasSize(net.path.sessions());
      List<FlowEntry> pages = new ArrayList<>();
      for (long position = 0; position >= 0; ) {
        FlowPage page = net.balancer.flows(FlowFilter.all(), position, limit);
        assertThat(page.flows()).hasSizeLessThanOrEqualTo(limit + 2);
        pages.addAll(page.flows());
        position = page.next();
      }
      assertThat(pages).containsExactlyInAnyOrderElementsOf(listed);
      for (Kind kind : EnumSet.allOf(Kind.class)) {
        assertThat(flows(net.balancer, FlowFilter.all().kind(kind)))
            .containsExactlyInAnyOrderElementsOf(listed.stream().filter(flow -> flow.kind() == kind).toList());
      }
      List<FlowEntry> outbound = flows(net.balancer, FlowFilter.all().kind(Kind.OUTBOUND));
      assertThat(outbound).isNotEmpty().allSatisfy(flow -> assertThat(flow.service()).isNull());
      assertThat(flows(net.balancer, FlowFilter.all().service("dns")))
          .isNotEmpty()
          .allSatisfy(flow -> assertThat(flow.server()).startsWith("s"))
          .allSatisfy(flow -> assertThat(flow.protocol()).isNotEqualTo(6));
      long meant = outbound.stream().filter(flow -> flow.protocol() == 17).count();
      assertThat(net.balancer.endFlows(FlowFilter.all().kind(Kind.OUTBOUND).protocol(17))).isEqualTo(meant);
      assertThat(net.path.sessions()).isEqualTo(listed.size() - (int) meant);
      assertThat(net.balancer.endAllFlows()).isEqualTo(listed.size() - meant);
      assertThat(net.path.sessions()).isZero();
    }
  }

  @BothFamilies
  void shouldSendTheNextPacketOfEachDirectionTheSameWay(boolean v6) {
    Network.Options options =
        Network.options(v6).nat(b -> b).service(Network.web(v6, 3).scheduler(Schedulers.roundRobin()));
    try (Network first = options.open();
        Network second = options.open()) {
      first.fromOutside(first.to(first.vip(), first.peer(9)).tcp(3000, 80, TcpHeader.SYN)).forwarded();
      String server =
          first
              .fromOutside(first.to(first.vip(), first.peer(1)).tcp(3000, 80, TcpHeader.SYN).numbers(100, 0))
              .forwarded()
              .destination();
      assertThat(server).isEqualTo(first.inside(2));
      FrameBuilder answer = first.from(2, first.peer(1)).tcp(8080, 3000, TcpHeader.SYN | TcpHeader.ACK).numbers(500, 101);
      first.fromInside(answer).forwarded();
      int external = first.udpOut(7, 4000, first.peer(1), 53).sourcePort();
      RestoreReport report = restore(second.balancer, save(first.balancer));
      assertThat(report.flowsRestored()).isEqualTo(3);
      FrameBuilder ack = second.to(second.vip(), second.peer(1)).tcp(3000, 80, TcpHeader.ACK).numbers(101, 501);
      assertThat(second.fromOutside(ack).forwarded().to()).isEqualTo(server + " 8080");
      FrameBuilder data =
          second.from(2, second.peer(1)).tcp(8080, 3000, TcpHeader.ACK).numbers(501, 101).payload((byte) 1);
      assertThat(second.fromInside(data).forwarded().from()).isEqualTo(second.vip() + " 80");
      assertThat(second.udpIn(second.peer(1), 53, external).forwarded().to()).isEqualTo(second.inside(7) + " 4000");
    }
  }

  // ---- services that change their method -------------------------------------------------------------------------------

  /** A flow belongs to its service and its method: where the service forwards by another one, nobody can take it. */
  @EveryTransport
  void shouldCarryFlowsOfAFormerMethodOnlyToWhereItIsKnown(boolean v6, boolean tcp) {
    Network.Options direct =
        Network.options(v6).nat(b -> b).service(DirectRouting.service(v6, tcp, new DirectRouting()));
    Network.Options translated = Network.options(v6).nat(b -> b).service(DirectRouting.service(v6, tcp, Gateway.create()));
    try (Network first = direct.open();
        Network second = translated.open();
        Network third = direct.open()) {
      open(first, tcp, 3000);
      first.balancer.replaceService(DirectRouting.service(v6, tcp, Gateway.create()).build());
      open(first, tcp, 3001);
      assertThat(flows(first.balancer, FlowFilter.all().service("web")).stream().map(FlowEntry::kind).toList())
          .containsExactlyInAnyOrder(Kind.DIRECT, Kind.TRANSLATED);
      byte[] saved = save(first.balancer);
      assertThat(restore(second.balancer, saved).flows())
          .isEqualTo(Map.of(TakeOver.TAKEN_OVER, 1L, TakeOver.NO_SERVER, 1L));
      assertThat(open(second, tcp, 3001).destination()).isEqualTo(second.inside(1));
      assertThat(restore(third.balancer, saved).flows())
          .isEqualTo(Map.of(TakeOver.TAKEN_OVER, 1L, TakeOver.NO_SERVER, 1L));
      assertThat(flows(third.balancer, FlowFilter.all())).extracting(FlowEntry::sourcePort).containsExactly(3000);
    }
  }

  private static Packet open(Network net, boolean tcp, int port) {
    FrameBuilder frame = net.to(net.vip(), net.peer(1));
    return net.fromOutside(Network.transport(frame, tcp, port, 80, TcpHeader.SYN)).forwarded();
  }

  /** Clients that services share move as well, with servers of other ports. */
  @BothFamilies
  void shouldCarryClientsThatServicesOfOtherPortsShare(boolean v6) {
    SourceIpPersistence vip = SourceIpPersistence.create().scope(PersistenceScope.VIP);
    Network.Options options =
        Network.options(v6)
            .service(Network.web(v6, 3).scheduler(Schedulers.roundRobin()).persistence(vip))
            .service(Network.dns(v6, 3).scheduler(Schedulers.roundRobin()).persistence(vip));
    try (Network first = options.open();
        Network second = options.open()) {
      first.fromOutside(first.to(first.vip(), first.peer(9)).tcp(3000, 80, TcpHeader.SYN)).forwarded();
      first.fromOutside(first.to(first.vip(), first.peer(1)).tcp(3000, 80, TcpHeader.SYN)).forwarded();
      first.balancer.endAllFlows();
      assertThat(restore(second.balancer, save(first.balancer)).clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 2L));
      Packet query = second.fromOutside(second.to(second.vip(), second.peer(1)).udp(3000, 53)).forwarded();
      assertThat(query.to()).isEqualTo(second.inside(2) + " 5353");
    }
  }

  // ---- several workers -------------------------------------------------------------------------------------------------

  private MemoryPort outside;
  private MemoryPort inside;
  private final List<Packet> left = new ArrayList<>();

  private LoadBalancer pipeline(boolean v6, int workers) {
    outside = new MemoryPort("eth0", MacAddress.of(Network.OUTSIDE_MAC), 1, 1024);
    inside = new MemoryPort("eth1", MacAddress.of(Network.INSIDE_MAC), 1, 1024);
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface(
                "eth0", i -> i.port(outside).mac(Network.OUTSIDE_MAC).address("198.51.100.5/24", "2001:db8:c::5/64"))
            .networkInterface(
                "eth1", i -> i.port(inside).mac(Network.INSIDE_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .neighbor(Network.router(v6), Network.ROUTER_MAC)
            .route(v6 ? "::/0" : "0.0.0.0/0", Network.router(v6));
    for (int host = 1; host <= 40; host++) {
      builder.neighbor(Network.inside(v6, host), Network.mac(host));
    }
    return builder
        .announcements(AnnouncementSettings.off())
        .flowTable(4096)
        .seed(7)
        .workers(workers)
        .outbound(Outbound.builder().nat(Network.prefix(v6), Network.external(v6, 1)).build())
        .service(Network.web(v6, 3).scheduler(Schedulers.roundRobin()))
        .build();
  }

  private void offer(MemoryPort port, FrameBuilder frame) {
    ByteBuf bytes = frame.build();
    assertThat(port.offer(0, bytes, FrameMarks.NONE)).isTrue();
    bytes.release();
  }

  private void await(LoadBalancer balancer, long frames) {
    long end = System.nanoTime() + PATIENCE_NS;
    Statistics now = balancer.statistics();
    while (now.received() != frames || now.held() != 0 || now.count(Verdict.FORWARD) != now.transmitted()) {
      assertThat(System.nanoTime() - end).as("%s", now).isNegative();
      Thread.onSpinWait();
      now = balancer.statistics();
    }
    for (MemoryPort port : List.of(outside, inside)) {
      while (port.poll(0, (buffer, start, length, marks) -> left.add(packet(buffer, start, length)))) {
        Thread.onSpinWait();
      }
    }
  }

  private static Packet packet(ByteBuf buffer, int start, int length) {
    ByteBuf copy = buffer.copy(start, length);
    try {
      return Packet.of(copy);
    } finally {
      copy.release();
    }
  }

  /**
   * With the seed that steers, and as many workers, all find their worker again; of other numbers of workers those do
   * whose external port is their worker's, and all sessions of services.
   */
  @ParameterizedTest
  @CsvSource({"false,3,3", "true,3,3", "false,3,2", "true,2,3"})
  void shouldGiveSessionsToTheWorkerThatGetsTheirPackets(boolean v6, int workers, int others) {
    LoadBalancer first = pipeline(v6, workers);
    first.start();
    for (int n = 1; n <= 30; n++) {
      offer(
          outside,
          FrameBuilder.from(Network.peer(v6, n), Network.vip(v6))
              .macs(Network.OUTSIDE_MAC, Network.ROUTER_MAC)
              .tcp(3000, 80, TcpHeader.SYN));
      offer(
          inside,
          FrameBuilder.from(Network.inside(v6, n), Network.peer(v6, 1))
              .macs(Network.INSIDE_MAC, Network.mac(n))
              .udp(4000, 53));
    }
    for (int n = 1; n <= 30; n++) { // looks like a reply, and is the beginning of something else
      offer(
          inside,
          FrameBuilder.from(Network.inside(v6, 1 + n % 3), Network.peer(v6, 100 + n))
              .macs(Network.INSIDE_MAC, Network.mac(1 + n % 3))
              .tcp(8080, 443, TcpHeader.SYN));
    }
    await(first, 90);
    List<Packet> opened = left.stream().filter(packet -> packet.destinationPort() != 443).toList();
    assertThat(opened).hasSize(60);
    left.clear();
    byte[] saved = save(first);
    assertThat(flows(first, FlowFilter.all()).stream().map(FlowEntry::worker).distinct()).hasSize(workers);
    first.close();
    LoadBalancer second = pipeline(v6, others);
    RestoreReport report = restore(second, saved);
    assertThat(flows(second, FlowFilter.all().kind(Kind.TRANSLATED))).hasSize(30);
    int mapped = flows(second, FlowFilter.all().kind(Kind.OUTBOUND)).size();
    assertThat(report.flowsSkipped().getOrDefault(TakeOver.REFUSED, 0L)).isEqualTo(60 - mapped);
    if (workers == others) {
      assertThat(mapped).isEqualTo(60);
    }
    Set<IpAddress> taken =
        flows(second, FlowFilter.all().kind(Kind.OUTBOUND).protocol(17)).stream().map(FlowEntry::source).collect(Collectors.toSet());
    second.start();
    answerAll(second, v6, opened, taken);
    second.close();
    assertThat(second.statistics().holds()).isTrue();
  }

  /** Servers answer clients, and peers answer inside hosts, by what the first instance had sent. */
  private void answerAll(LoadBalancer second, boolean v6, List<Packet> opened, Set<IpAddress> taken) {
    long frames = 0;
    for (Packet packet : opened) {
      if (packet.destinationPort() == 8080) {
        int server = hostOf(v6, packet.destination());
        offer(
            inside,
            FrameBuilder.from(packet.destination(), packet.source())
                .macs(Network.INSIDE_MAC, Network.mac(server))
                .tcp(8080, packet.sourcePort(), TcpHeader.SYN | TcpHeader.ACK));
        frames++;
      } else {
        offer(
            outside,
            FrameBuilder.from(packet.destination(), packet.source())
                .macs(Network.OUTSIDE_MAC, Network.ROUTER_MAC)
                .udp(53, packet.sourcePort()));
        frames++;
      }
    }
    await(second, frames);
    assertThat(left.stream().filter(packet -> packet.source().equals(Network.vip(v6)))).hasSize(30);
    Set<IpAddress> answered =
        left.stream()
            .filter(packet -> packet.destinationPort() == 4000)
            .map(packet -> IpAddress.of(packet.destination()))
            .collect(Collectors.toSet());
    assertThat(answered).isEqualTo(taken);
  }

  private static int hostOf(boolean v6, String address) {
    for (int host = 1; host <= 3; host++) {
      if (IpPrefix.host(IpAddress.of(Network.inside(v6, host))).contains(IpAddress.of(address))) {
        return host;
      }
    }
    throw new AssertionError(address);
  }
}

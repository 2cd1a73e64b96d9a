package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.Port;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * An embedded balancer between an outside and an inside network, IPv4 or IPv6, with a clock that the test turns. Hosts
 * outside are behind a router; inside hosts and servers are neighbours. Closing checks the laws of the counters.
 *
 * <pre>
 *   peers ── router ── 198.51.100.0/24 ──[0 balancer 1]── 192.0.2.0/24 ── inside hosts
 * </pre>
 */
final class Network implements AutoCloseable {
  static final int OUTSIDE = 0;
  static final int INSIDE = 1;
  static final String OUTSIDE_MAC = "02:00:00:00:00:04";
  static final String INSIDE_MAC = "02:00:00:00:00:05";
  static final String ROUTER_MAC = "02:00:00:00:00:01";
  static final int HOSTS = 100;

  final boolean v6;
  final LoadBalancer balancer;
  final DataPath path;
  final List<Packet> sent = new ArrayList<>();
  final List<String> ended = new ArrayList<>();
  long nowNs = 1_000_000_000L;

  private final boolean singleArm;
  private final boolean damaged;
  private long inPlace;

  /** How a frame ended, and what was sent because of it. */
  record Result(Verdict verdict, List<Packet> sent) {
    /** The only frame sent, of a packet that was forwarded. */
    Packet forwarded() {
      assertThat(verdict).isEqualTo(Verdict.FORWARD);
      assertThat(sent).hasSize(1);
      return sent.get(0);
    }

    /** A drop without any answer. */
    void droppedSilently(Verdict reason) {
      assertThat(verdict).isEqualTo(reason);
      assertThat(sent).isEmpty();
    }

    /** Some drop without any answer. */
    void droppedSilently() {
      assertThat(verdict.isDrop()).as("dropped: %s", verdict).isTrue();
      assertThat(sent).isEmpty();
    }

    /** The only frame sent, an ICMP error about a packet that was dropped. */
    Packet error(Verdict reason) {
      assertThat(verdict).isEqualTo(reason);
      assertThat(sent).hasSize(1);
      return sent.get(0);
    }
  }

  /** How a network differs from the usual one. */
  static final class Options {
    private final boolean v6;
    private boolean singleArm;
    private boolean damaged;
    private boolean defaultRoute = true;
    private int sessions = 512; // few, because a day of waiting visits every place some ten thousand times
    private int hosts = HOSTS;
    private int outsideMtu = 1500;
    private int insideMtu = 1500;
    private Port outsidePort;
    private UnaryOperator<LoadBalancerBuilder> builder = b -> b;

    private Options(boolean v6) {
      this.v6 = v6;
    }

    /** One interface with both addresses. */
    Options singleArm() {
      singleArm = true;
      return this;
    }

    /** Frames with wrong checksums come in, so what is sent need not be right. */
    Options damaged() {
      damaged = true;
      return this;
    }

    Options withoutDefaultRoute() {
      defaultRoute = false;
      return this;
    }

    /** Room for more sessions than the usual few. */
    Options sessions(int capacity) {
      sessions = capacity;
      return this;
    }

    /** Fewer hosts with known MAC addresses than the usual ones. */
    Options hosts(int count) {
      hosts = count;
      return this;
    }

    Options mtu(int outside, int inside) {
      outsideMtu = outside;
      insideMtu = inside;
      return this;
    }

    /** A port that is never started, for what it can carry. */
    Options outsidePort(Port port) {
      outsidePort = port;
      return this;
    }

    Options with(UnaryOperator<LoadBalancerBuilder> change) {
      UnaryOperator<LoadBalancerBuilder> before = builder;
      builder = b -> change.apply(before.apply(b));
      return this;
    }

    /** Inside hosts are translated to {@link Network#external} 1, with settings of the test. */
    Options nat(UnaryOperator<Outbound.Builder> settings) {
      return with(b -> b.outbound(settings.apply(Outbound.builder().nat(prefix(v6), external(v6, 1))).build()));
    }

    /** Outbound rules of the test alone. */
    Options outbound(UnaryOperator<Outbound.Builder> rules) {
      return with(b -> b.outbound(rules.apply(Outbound.builder()).build()));
    }

    Options service(VirtualServiceBuilder service) {
      return with(b -> b.service(service));
    }

    Network open() {
      return new Network(this);
    }
  }

  private Network(Options options) {
    this.v6 = options.v6;
    this.singleArm = options.singleArm;
    this.damaged = options.damaged;
    LoadBalancerBuilder builder = LoadBalancer.builder();
    if (singleArm) {
      builder.networkInterface(
          "eth0",
          i ->
              i.mac(OUTSIDE_MAC)
                  .address("198.51.100.5/24", "2001:db8:c::5/64", "192.0.2.5/24", "2001:db8:5::5/64")
                  .hostStack(false));
    } else {
      builder
          .networkInterface(
              "eth0",
              i ->
                  (options.outsidePort == null ? i : i.port(options.outsidePort))
                      .mac(OUTSIDE_MAC)
                      .address("198.51.100.5/24", "2001:db8:c::5/64")
                      .mtu(options.outsideMtu)
                      .hostStack(false))
          .networkInterface(
              "eth1",
              i ->
                  i.mac(INSIDE_MAC)
                      .address("192.0.2.5/24", "2001:db8:5::5/64")
                      .mtu(options.insideMtu)
                      .hostStack(false));
    }
    builder.neighbor(router(v6), ROUTER_MAC);
    if (options.defaultRoute) {
      builder.route(v6 ? "::/0" : "0.0.0.0/0", router(v6));
    }
    for (int host = 1; host <= options.hosts; host++) {
      builder.neighbor(inside(v6, host), mac(host));
      builder.neighbor(near(v6, host), nearMac(host));
    }
    builder
        .announcements(AnnouncementSettings.off())
        .flowTable(options.sessions)
        .seed(7)
        .clock(() -> nowNs);
    balancer = options.builder.apply(builder).build();
    path = balancer.dataPath();
    path.onHeldFrameEnd((tag, verdict, in, out, binding, length) -> ended.add(tag + " " + verdict));
  }

  /** Begins a network without services and outbound rules. */
  static Options options(boolean v6) {
    return new Options(v6);
  }

  /** A network that translates its inside hosts to {@link #external} 1. */
  static Network nat(boolean v6) {
    return nat(v6, b -> b);
  }

  static Network nat(boolean v6, UnaryOperator<Outbound.Builder> settings) {
    return options(v6).nat(settings).open();
  }

  // ---- who is who ----------------------------------------------------------------------------------------------

  static String prefix(boolean v6) {
    return v6 ? "2001:db8:5::/64" : "192.0.2.0/24";
  }

  static String router(boolean v6) {
    return v6 ? "2001:db8:c::1" : "198.51.100.1";
  }

  /** An address of the pool, in the outside subnet. */
  static String external(boolean v6, int n) {
    return v6 ? "2001:db8:c::e" + n : "198.51.100.24" + n;
  }

  /** An inside host or server, 1..{@link #HOSTS}. */
  static String inside(boolean v6, int host) {
    return v6 ? "2001:db8:5::" + Integer.toHexString(0x1000 + host) : "192.0.2." + (10 + host);
  }

  static String mac(int host) {
    return String.format("02:00:00:00:01:%02x", host);
  }

  /** A host in the outside subnet itself. */
  static String near(boolean v6, int host) {
    return v6 ? "2001:db8:c::" + Integer.toHexString(0x1000 + host) : "198.51.100." + (10 + host);
  }

  static String nearMac(int host) {
    return String.format("02:00:00:00:02:%02x", host);
  }

  static String vip(boolean v6) {
    return v6 ? "2001:db8:c::f0" : "198.51.100.230";
  }

  /** A host beyond the router. */
  static String peer(boolean v6, int n) {
    return v6 ? "2001:db8:f::" + Integer.toHexString(n) : "203.0.113." + n;
  }

  String router() {
    return router(v6);
  }

  String external(int n) {
    return external(v6, n);
  }

  String inside(int host) {
    return inside(v6, host);
  }

  String peer(int n) {
    return peer(v6, n);
  }

  String vip() {
    return vip(v6);
  }

  /** The balancer's own address on an interface. */
  String own(int link) {
    if (link == OUTSIDE) {
      return v6 ? "2001:db8:c::5" : "198.51.100.5";
    }
    return v6 ? "2001:db8:5::5" : "192.0.2.5";
  }

  /** A TCP service on port 80 whose servers, inside hosts from 1 on, listen on port 8080. */
  static VirtualServiceBuilder web(boolean v6, int servers) {
    return withServers(VirtualService.tcp(vip(v6), 80).named("web").forwarding(Gateway.create()), v6, servers);
  }

  /** A UDP service on port 53 whose servers, inside hosts from 1 on, listen on port 5353. */
  static VirtualServiceBuilder dns(boolean v6, int servers) {
    VirtualServiceBuilder service = VirtualService.udp(vip(v6), 53).named("dns").forwarding(Gateway.create());
    for (int n = 1; n <= servers; n++) {
      service.realServer("s" + n, inside(v6, n), s -> s.port(5353));
    }
    return service;
  }

  private static VirtualServiceBuilder withServers(VirtualServiceBuilder service, boolean v6, int servers) {
    for (int n = 1; n <= servers; n++) {
      service.realServer("s" + n, inside(v6, n), s -> s.port(8080));
    }
    return service;
  }

  // ---- frames --------------------------------------------------------------------------------------------------

  /** A frame of an inside host. */
  FrameBuilder from(int host, String to) {
    return FrameBuilder.from(inside(host), to).macs(singleArm ? OUTSIDE_MAC : INSIDE_MAC, mac(host));
  }

  /** A frame that the router brings. */
  FrameBuilder to(String destination, String from) {
    return FrameBuilder.from(from, destination).macs(OUTSIDE_MAC, ROUTER_MAC);
  }

  /** TCP with some flags, or UDP. */
  static FrameBuilder transport(FrameBuilder frame, boolean tcp, int from, int to, int flags) {
    return tcp ? frame.tcp(from, to, flags) : frame.udp(from, to);
  }

  Result fromInside(FrameBuilder frame) {
    return process(INSIDE, frame.build(), FrameMarks.NONE, 0);
  }

  Result fromOutside(FrameBuilder frame) {
    return process(OUTSIDE, frame.build(), FrameMarks.NONE, 0);
  }

  Result process(int link, ByteBuf frame) {
    return process(link, frame, FrameMarks.NONE, 0);
  }

  Result process(int link, ByteBuf frame, long marks, long tag) {
    int before = sent.size();
    Verdict verdict = path.process(singleArm ? OUTSIDE : link, frame, marks, tag, nowNs, this::transmit);
    boolean goes = verdict == Verdict.FORWARD || verdict == Verdict.ANSWER;
    if (goes && path.last().egress() >= 0) {
      inPlace++;
      ByteBuf inPlaceFrame = frame.slice(path.last().start(), path.last().length());
      record(Packet.of(path.last().egress(), inPlaceFrame, path.last().marks()));
    }
    return new Result(verdict, List.copyOf(sent.subList(before, sent.size())));
  }

  /** A burst of at most 32 frames, as a port brings them; their verdicts. What was sent is recorded as ever. */
  List<Verdict> burst(List<ByteBuf> frames, List<Integer> links) {
    FrameBatch batch = new FrameBatch();
    for (int i = 0; i < frames.size(); i++) {
      batch.add(frames.get(i), 0, frames.get(i).readableBytes(), FrameMarks.NONE, links.get(i));
    }
    path.process(batch, nowNs, this::transmit);
    List<Verdict> verdicts = new ArrayList<>();
    for (int i = 0; i < batch.size(); i++) {
      FrameView view = batch.get(i);
      verdicts.add(view.verdict());
      if (view.verdict() == Verdict.FORWARD && view.egress() >= 0) {
        inPlace++;
        record(Packet.of(view.egress(), frames.get(i), view.marks()));
      }
    }
    return verdicts;
  }

  private boolean transmit(int link, ByteBuf frame, long marks) {
    record(Packet.of(link, frame, marks));
    frame.release();
    return true;
  }

  private void record(Packet packet) {
    if (packet.isIp() && !damaged) {
      packet.assertSound();
    }
    sent.add(packet);
  }

  /** Lets time pass, calling as often as the data path asks for, and answers what was sent meanwhile. */
  List<Packet> after(Duration time) {
    int before = sent.size();
    long end = nowNs + time.toNanos();
    long next = path.tick(nowNs, this::transmit);
    while (nowNs < end) {
      nowNs = Math.min(end, Math.max(nowNs + 1, next));
      next = path.tick(nowNs, this::transmit);
    }
    return List.copyOf(sent.subList(before, sent.size()));
  }

  List<Packet> afterSeconds(double seconds) {
    return after(Duration.ofMillis(Math.round(seconds * 1000)));
  }

  // ---- conversations -------------------------------------------------------------------------------------------

  /** A datagram of an inside host to a peer, as the peer gets it. */
  Packet udpOut(int host, int port, String peer, int peerPort) {
    return fromInside(from(host, peer).udp(port, peerPort).payload((byte) 1)).forwarded();
  }

  /** A datagram of a peer to an external port. */
  Result udpIn(String peer, int peerPort, int externalPort) {
    return fromOutside(to(external(1), peer).udp(peerPort, externalPort).payload((byte) 2));
  }

  /** The first packet of a flow from inside: a SYN or a datagram, as the peer gets it. */
  Packet open(boolean tcp, int host, int port, String peer, int peerPort) {
    return fromInside(transport(from(host, peer), tcp, port, peerPort, TcpHeader.SYN).numbers(1000, 0)).forwarded();
  }

  /** The first packet of a flow from outside: a SYN or a datagram. */
  Result knock(boolean tcp, String peer, int peerPort, int externalPort) {
    return fromOutside(transport(to(external(1), peer), tcp, peerPort, externalPort, TcpHeader.SYN).numbers(5000, 0));
  }

  /** An established TCP connection that an inside host began: next are 1001 from inside and 5001 from outside. */
  int connect(int host, int port, String peer, int peerPort) {
    int external = open(true, host, port, peer, peerPort).sourcePort();
    tcpIn(peer, peerPort, external, TcpHeader.SYN | TcpHeader.ACK, 5000, 1001).forwarded();
    tcpOut(host, port, peer, peerPort, TcpHeader.ACK, 1001, 5001).forwarded();
    return external;
  }

  Result tcpOut(int host, int port, String peer, int peerPort, int flags, int sequence, int acknowledgment) {
    return fromInside(from(host, peer).tcp(port, peerPort, flags).numbers(sequence, acknowledgment));
  }

  Result tcpIn(String peer, int peerPort, int externalPort, int flags, int sequence, int acknowledgment) {
    FrameBuilder frame = to(external(1), peer).tcp(peerPort, externalPort, flags);
    return fromOutside(frame.numbers(sequence, acknowledgment));
  }

  /** The laws of the counters, after every scenario. */
  @Override
  public void close() {
    assertThat(balancer.statistics().holds()).as("received = verdicts + held").isTrue();
    path.close();
    Statistics end = balancer.statistics();
    assertThat(end.holds()).as("received = verdicts").isTrue();
    assertThat(end.held()).isZero();
    assertThat(end.leaving() - inPlace)
        .as("forwarded + answered + originated = transmitted + refused, but for what the host sends itself")
        .isEqualTo(end.transmitted() + end.refused());
    balancer.close();
  }
}

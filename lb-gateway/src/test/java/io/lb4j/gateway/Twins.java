package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.dataplane.DataPath;
import io.lb4j.event.Event;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.Role;
import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Two embedded balancers with the same configuration on the same two wires, which carry every frame that one sends to
 * the other, and a host that asks. Closing checks the laws of both.
 *
 * <pre>
 *   outside 198.51.100.0/24 ──┬─[0 a 1]─┬── inside 192.0.2.0/24
 *                             └─[0 b 1]─┘
 * </pre>
 */
final class Twins implements AutoCloseable {
  static final String HOST_MAC = "02:00:00:80:ff:99";

  private static final long STEP_NS = 50_000_000L;
  private static final AnnouncementSettings EXACT =
      AnnouncementSettings.builder()
          .probeWait(Duration.ZERO)
          .arpProbes(3, Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofSeconds(2))
          .build();

  final boolean v6;
  final List<Sent> sent = new ArrayList<>();
  final Twin a;
  final Twin b;
  long nowNs = 5_000_000_000L;

  private final Deque<Sent> wire = new ArrayDeque<>();

  /** A frame on the wire. */
  record Sent(Twin by, int link, String hex) {}

  /** One of the two. */
  final class Twin {
    final String[] macs;
    final LoadBalancer balancer;
    final DataPath path;
    final List<Event> heard = new ArrayList<>();
    private long inPlace;

    Twin(int number, Role role, UnaryOperator<LoadBalancerBuilder> options) {
      macs = new String[] {"02:00:00:00:0a:0" + number, "02:00:00:00:0b:0" + number};
      int host = 4 + number;
      LoadBalancerBuilder builder =
          LoadBalancer.builder()
              .networkInterface(
                  "eth0",
                  i ->
                      i.mac(macs[0])
                          .address("198.51.100." + host + "/24", "2001:db8:c::" + host + "/64")
                          .hostStack(false))
              .networkInterface(
                  "eth1",
                  i ->
                      i.mac(macs[1])
                          .address("192.0.2." + host + "/24", "2001:db8:5::" + host + "/64")
                          .gatewayAddress(gateway())
                          .hostStack(false))
              .neighbor(Network.router(v6), Network.ROUTER_MAC)
              .neighbor(Network.inside(v6, 1), Network.mac(1))
              .route(v6 ? "::/0" : "0.0.0.0/0", Network.router(v6))
              .service(Network.web(v6, 1))
              .outbound(Outbound.builder().nat(Network.prefix(v6), Network.external(v6, 1)).build())
              .announcements(EXACT)
              .role(role)
              .listener(heard::add)
              .flowTable(1024)
              .seed(number)
              .clock(() -> nowNs);
      balancer = options.apply(builder).build();
      path = balancer.dataPath();
    }

    Verdict receive(int link, ByteBuf frame) {
      Verdict verdict = path.process(link, frame, nowNs, this::transmit);
      boolean leaves = verdict == Verdict.FORWARD || verdict == Verdict.ANSWER;
      if (leaves && path.last().egress() >= 0) {
        inPlace++;
        put(path.last().egress(), frame.slice(path.last().start(), path.last().length()));
      }
      return verdict;
    }

    private boolean transmit(int link, ByteBuf frame, long marks) {
      assertThat(marks & FrameMarks.CHECKSUM_PARTIAL).isZero();
      put(link, frame);
      frame.release();
      return true;
    }

    private void put(int link, ByteBuf frame) {
      Sent one = new Sent(this, link, ByteBufUtil.hexDump(frame));
      sent.add(one);
      wire.add(one);
    }

    List<Event> told() {
      List<Event> taken = List.copyOf(heard);
      heard.clear();
      return taken;
    }

    private void close() {
      path.close();
      Statistics end = balancer.statistics();
      assertThat(end.holds()).as("received = verdicts").isTrue();
      assertThat(end.held()).isZero();
      assertThat(end.leaving() - inPlace)
          .isEqualTo(end.transmitted() + end.refused());
      balancer.close();
    }
  }

  /** The first is active, the second passive. */
  Twins(boolean v6) {
    this(v6, builder -> builder);
  }

  /** With settings of the test, the same for both. */
  Twins(boolean v6, UnaryOperator<LoadBalancerBuilder> options) {
    this.v6 = v6;
    this.a = new Twin(1, Role.ACTIVE, options);
    this.b = new Twin(2, Role.PASSIVE, options);
  }

  String gateway() {
    return v6 ? "2001:db8:5::1" : "192.0.2.1";
  }

  /** What is the active one's alone: interface, address. */
  List<String> floating(int link) {
    return link == Network.OUTSIDE
        ? List.of(Network.external(v6, 1), Network.vip(v6))
        : List.of(gateway());
  }

  /** Carries what was sent to the other. */
  private void deliver() {
    for (Sent next = wire.poll(); next != null; next = wire.poll()) {
      ByteBuf copy = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(next.hex));
      (next.by == a ? b : a).receive(next.link, copy);
    }
  }

  void run(double seconds) {
    long end = nowNs + Math.round(seconds * 1e9);
    while (nowNs - end < 0) {
      nowNs += STEP_NS;
      for (Twin twin : List.of(a, b)) {
        twin.path.tick(nowNs, twin::transmit);
        twin.balancer.tickControl(nowNs);
        deliver();
      }
    }
  }

  /** A host asks everybody who has an address; the MAC addresses that answer. */
  List<String> whoHas(int link, String target) {
    sent.clear();
    for (Twin twin : List.of(a, b)) {
      twin.receive(link, question(link, target));
      deliver();
    }
    String answer = v6 ? "86dd" : "0806";
    List<String> answers =
        sent.stream()
            .filter(one -> one.hex.startsWith(answer, 24) && one.hex.startsWith(hex(HOST_MAC)))
            .map(one -> one.hex.substring(12, 24))
            .toList();
    sent.clear();
    return answers;
  }

  private ByteBuf question(int link, String target) {
    String host = link == Network.OUTSIDE ? Network.near(v6, 99) : Network.inside(v6, 99);
    if (!v6) {
      String request = arp("ff:ff:ff:ff:ff:ff", HOST_MAC, host, target);
      return Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(request));
    }
    IpAddress group = IpAddress.of(target).solicitedNode();
    return FrameBuilder.from(host, group.toString())
        .macs(MacAddress.ofIpv6Multicast(group).toString(), HOST_MAC)
        .timeToLive(255)
        .icmp(135, 0, message(0, target, 1, HOST_MAC))
        .build();
  }

  // ---- frames as the RFCs draw them ----------------------------------------------------------------------------

  static String hex(String mac) {
    return mac.replace(":", "");
  }

  private static String ip(String address) {
    return ByteBufUtil.hexDump(IpAddress.of(address).octets());
  }

  /** A request, padded. */
  private static String arp(String to, String from, String sender, String target) {
    String addresses = hex(from) + ip(sender) + "000000000000" + ip(target);
    String packet = hex(to) + hex(from) + "0806" + "0001080006040001" + addresses;
    return packet + "00".repeat(60 - packet.length() / 2);
  }

  private static byte[] message(int flags, String target, int option, String mac) {
    String rest = String.format("%08x", flags) + ip(target) + (option == 0 ? "" : "0" + option + "01" + hex(mac));
    return ByteBufUtil.decodeHexDump(rest);
  }

  /** Is anybody using the address? (RFC 5227, section 2.1.1; RFC 4862, section 5.4.2) */
  String probe(String mac, String address) {
    if (!v6) {
      return arp("ff:ff:ff:ff:ff:ff", mac, "0.0.0.0", address);
    }
    IpAddress group = IpAddress.of(address).solicitedNode();
    return ByteBufUtil.hexDump(
        FrameBuilder.from("::", group.toString())
            .macs(MacAddress.ofIpv6Multicast(group).toString(), mac)
            .timeToLive(255)
            .icmp(135, 0, message(0, address, 0, mac))
            .build());
  }

  /** The address is ours (RFC 5227, section 2.3; RFC 4861, section 7.2.6), and a gateway is a router. */
  String announcement(String mac, String address) {
    if (!v6) {
      return arp("ff:ff:ff:ff:ff:ff", mac, address, address);
    }
    int flags = address.equals(gateway()) ? 0xA000_0000 : 0x2000_0000;
    return ByteBufUtil.hexDump(
        FrameBuilder.from(address, "ff02::1")
            .macs("33:33:00:00:00:01", mac)
            .timeToLive(255)
            .icmp(136, 0, message(flags, address, 2, mac))
            .build());
  }

  @Override
  public void close() {
    a.close();
    b.close();
  }
}

package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpPrefix;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.service.AccessList;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every verdict, reached by a frame. */
class VerdictTest {
  /** Verdicts that other tests reach: of traffic that crosses the balancer, and of several workers. */
  private static final EnumSet<Verdict> TRANSLATORS =
      EnumSet.range(Verdict.NO_ROUTE, Verdict.NAT_PROTOCOL);

  static {
    TRANSLATORS.addAll(EnumSet.of(Verdict.HANDED_OVER, Verdict.WORKER_QUEUE_FULL));
    TRANSLATORS.add(Verdict.EMBRYONIC_LIMIT); // here another half-open flow is found to give way
  }

  private static final int IP = 14;
  private static final int WEB = 80;
  private static final int OFF = 81;
  private static final int DRAINED = 82;
  private static final int SILENT = 83;
  private static final int UNSERVED = 9999;
  private static final Set<Verdict> IPV4_ONLY =
      EnumSet.of(
          Verdict.IPV4_VERSION,
          Verdict.IPV4_HEADER_LENGTH,
          Verdict.IPV4_TOTAL_LENGTH,
          Verdict.IPV4_CHECKSUM,
          Verdict.IPV4_TIME_TO_LIVE,
          Verdict.ARP_MALFORMED);
  private static final Set<Verdict> IPV6_ONLY =
      EnumSet.of(
          Verdict.IPV6_VERSION,
          Verdict.IPV6_PAYLOAD_LENGTH,
          Verdict.IPV6_HOP_LIMIT,
          Verdict.IPV6_EXTENSION_CHAIN,
          Verdict.IPV6_EXTENSION_LENGTH,
          Verdict.NEIGHBOR_MESSAGE_MALFORMED);

  private static final Map<Verdict, Function<Lan, Verdict>> SCENARIOS = scenarios();

  private static Map<Verdict, Function<Lan, Verdict>> scenarios() {
    Map<Verdict, Function<Lan, Verdict>> all = new EnumMap<>(Verdict.class);
    endings(all);
    ethernet(all);
    ip(all);
    transport(all);
    icmp(all);
    fragments(all);
    services(all);
    neighbors(all);
    return all;
  }

  private static void endings(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(Verdict.FORWARD, lan -> lan.process(syn(lan, WEB)));
    all.put(Verdict.ANSWER, lan -> lan.process(echo(lan)));
    all.put(
        Verdict.PASS,
        lan -> lan.process(FrameBuilder.from(lan.client(1), lan.v6 ? "2001:db8:5::5" : "192.0.2.5").tcp(4000, 22, 2)));
    all.put(
        Verdict.PROBE_ANSWERED,
        lan -> {
          Asked asked = new Asked(lan);
          asked.ping(lan.server(1));
          return lan.process(asked.echoReply(asked.only()));
        });
    all.put(Verdict.HOLD, lan -> lan.process(syn(lan, SILENT)));
    all.put(
        Verdict.CLOSED_WHILE_HELD,
        lan -> {
          lan.process(syn(lan, SILENT));
          lan.path.close();
          return endOfHeld(lan);
        });
  }

  private static void ethernet(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(Verdict.FRAME_TOO_SHORT, lan -> edited(lan, syn(lan, WEB), frame -> frame.writerIndex(13)));
    all.put(Verdict.FRAME_TRUNCATED, lan -> lan.process(syn(lan, WEB).build(), FrameMarks.TRUNCATED, 0));
    all.put(
        Verdict.OTHER_DESTINATION_MAC, lan -> lan.process(syn(lan, WEB).macs("02:00:00:00:00:77", Lan.ROUTER_MAC)));
    all.put(Verdict.OWN_FRAME, lan -> lan.process(syn(lan, WEB).macs(Lan.mac(1), Lan.LB_MAC)));
    all.put(
        Verdict.SOURCE_MAC_GROUP, lan -> lan.process(syn(lan, WEB).macs("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01")));
    all.put(Verdict.VLAN_TOO_DEEP, lan -> lan.process(syn(lan, WEB).vlan(1, 2, 3)));
    all.put(
        Verdict.ARP_MALFORMED,
        lan -> edited(lan, syn(lan, WEB), frame -> frame.setShort(12, 0x0806).setShort(IP, 6)));
  }

  private static void ip(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(Verdict.IPV4_VERSION, lan -> edited(lan, syn(lan, WEB), frame -> frame.setByte(IP, 0x55)));
    all.put(Verdict.IPV4_HEADER_LENGTH, lan -> edited(lan, syn(lan, WEB), frame -> frame.setByte(IP, 0x44)));
    all.put(Verdict.IPV4_TOTAL_LENGTH, lan -> edited(lan, syn(lan, WEB), frame -> frame.setShort(IP + 2, 1500)));
    all.put(Verdict.IPV4_CHECKSUM, lan -> edited(lan, syn(lan, WEB), frame -> frame.setByte(IP + 1, 4)));
    all.put(Verdict.IPV4_TIME_TO_LIVE, lan -> lan.process(syn(lan, WEB).timeToLive(0)));
    all.put(Verdict.IPV6_VERSION, lan -> edited(lan, syn(lan, WEB), frame -> frame.setByte(IP, 0x50)));
    all.put(Verdict.IPV6_PAYLOAD_LENGTH, lan -> edited(lan, syn(lan, WEB), frame -> frame.setShort(IP + 4, 1500)));
    all.put(Verdict.IPV6_HOP_LIMIT, lan -> lan.process(syn(lan, WEB).timeToLive(0)));
    all.put(
        Verdict.IPV6_EXTENSION_CHAIN,
        lan -> lan.process(syn(lan, WEB).extensions(60, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0,
            (byte) 0, (byte) 0, (byte) 6, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0)));
    all.put(
        Verdict.IPV6_EXTENSION_LENGTH,
        lan -> lan.process(syn(lan, WEB).extensions(60, (byte) 6, (byte) 20, (byte) 0, (byte) 0, (byte) 0, (byte) 0,
            (byte) 0, (byte) 0)));
    all.put(
        Verdict.SOURCE_ADDRESS,
        lan -> lan.process(FrameBuilder.from(lan.v6 ? "::1" : "127.0.0.1", lan.vip()).tcp(4000, WEB, TcpHeader.SYN)));
    all.put(
        Verdict.SOURCE_IS_DESTINATION,
        lan -> lan.process(FrameBuilder.from(lan.vip(), lan.vip()).tcp(WEB, WEB, TcpHeader.SYN)));
  }

  private static void transport(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(
        Verdict.TCP_HEADER_LENGTH,
        lan -> edited(lan, syn(lan, WEB), frame -> frame.setByte(transport(lan) + 12, 0x40)));
    all.put(Verdict.TCP_FLAGS, lan -> lan.process(lan.frame(1).tcp(4000, WEB, TcpHeader.SYN | TcpHeader.FIN)));
    all.put(
        Verdict.UDP_HEADER_LENGTH,
        lan -> {
          ByteBuf frame = lan.frame(1).udp(4000, 53).build();
          int cut = (lan.v6 ? 0 : 20) + 7;
          frame.setShort(lan.v6 ? IP + 4 : IP + 2, cut);
          if (!lan.v6) {
            Ipv4Header.updateChecksum(frame, IP);
          }
          return lan.process(frame, 0, 0);
        });
    all.put(
        Verdict.UDP_LENGTH,
        lan -> edited(lan, lan.frame(1).udp(4000, 53), frame -> frame.setShort(transport(lan) + 4, 7)));
    all.put(Verdict.PORT_ZERO, lan -> lan.process(lan.frame(1).tcp(0, WEB, TcpHeader.SYN)));
  }

  private static void icmp(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(
        Verdict.ICMP_TOO_SHORT,
        lan ->
            lan.process(
                lan.frame(1).protocol(lan.v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP).payload(new byte[] {8, 0, 0, 0})));
    all.put(
        Verdict.ICMP_CHECKSUM, lan -> edited(lan, echo(lan), frame -> frame.setByte(transport(lan) + 6, 99)));
    all.put(Verdict.ICMP_QUOTE, lan -> lan.process(unreachable(lan, new byte[44])));
    all.put(
        Verdict.ICMP_NO_FLOW,
        lan -> {
          ByteBuf inner = FrameBuilder.from(lan.vip(), lan.client(1)).tcp(WEB, 4321, TcpHeader.ACK).build();
          byte[] rest = new byte[4 + inner.readableBytes() - IP];
          inner.getBytes(IP, rest, 4, rest.length - 4);
          return lan.process(unreachable(lan, rest));
        });
    all.put(Verdict.ICMP_NOT_SERVED, lan -> lan.process(lan.frame(1).icmp(lan.v6 ? 139 : 13, 0, new byte[16])));
    all.put(Verdict.ECHO_REFUSED, lan -> lan.process(echo(lan)));
    all.put(
        Verdict.NEIGHBOR_MESSAGE_MALFORMED,
        lan -> lan.process(lan.frame(1).icmp(135, 0, new byte[20]).timeToLive(64)));
  }

  private static void fragments(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(
        Verdict.FRAGMENT_LENGTH, lan -> lan.process(syn(lan, WEB).payload(new byte[9]).fragment(1, 0, true)));
    all.put(
        Verdict.FRAGMENT_TINY, lan -> lan.process(syn(lan, WEB).payload(new byte[16]).fragment(1, 8, true)));
    all.put(
        Verdict.FRAGMENT_NO_FIRST,
        lan -> {
          assertThat(lan.process(later(lan, 1, 80))).isEqualTo(Verdict.HOLD);
          lan.after(1_900);
          assertThat(lan.ended).isEmpty();
          lan.after(400);
          return endOfHeld(lan);
        });
    all.put(
        Verdict.FRAGMENT_NO_ROOM,
        lan -> {
          Verdict verdict = Verdict.HOLD;
          for (int offset = 80; verdict == Verdict.HOLD; offset += 16) {
            verdict = lan.process(later(lan, 1, offset));
          }
          return verdict;
        });
    all.put(
        Verdict.FRAGMENT_REFUSED,
        lan -> {
          FrameBuilder first = syn(lan, UNSERVED).payload(new byte[4]).fragment(1, 0, true);
          assertThat(lan.process(first)).isEqualTo(Verdict.NO_SERVICE);
          return lan.process(later(lan, 1, 24));
        });
  }

  private static void services(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(
        Verdict.PASSIVE,
        lan -> {
          lan.balancer.becomePassive();
          return lan.process(syn(lan, WEB));
        });
    all.put(Verdict.NO_SERVICE, lan -> lan.process(syn(lan, UNSERVED)));
    all.put(Verdict.PROTOCOL_NOT_SERVED, lan -> lan.process(lan.frame(1).protocol(47).payload(new byte[8])));
    all.put(Verdict.SERVICE_DISABLED, lan -> lan.process(syn(lan, OFF)));
    all.put(Verdict.NO_SERVER, lan -> lan.process(syn(lan, DRAINED)));
    all.put(
        Verdict.CLIENT_DENIED,
        lan -> {
          AccessList nobody = AccessList.of(List.of(), List.of(IpPrefix.of(lan.v6 ? "2001:db8::/32" : "192.0.0.0/2")));
          VirtualService web = lan.balancer.service("web").declaration();
          lan.balancer.replaceService(web.toBuilder().access(nobody).build());
          return lan.process(syn(lan, WEB));
        });
    all.put(
        Verdict.CONNECTION_LIMIT,
        lan -> {
          VirtualService web = lan.balancer.service("web").declaration();
          ConnectionLimit one = ConnectionLimit.of(1);
          lan.balancer.replaceService(web.toBuilder().maxConnections(one, Overflow.DROP).build());
          lan.process(syn(lan, WEB));
          return lan.process(lan.frame(1).tcp(4001, WEB, TcpHeader.SYN));
        });
    all.put(Verdict.TCP_NOT_SYN, lan -> lan.process(lan.frame(1).tcp(4000, WEB, TcpHeader.ACK)));
    all.put(
        Verdict.SERVER_GONE,
        lan -> {
          lan.process(syn(lan, WEB));
          lan.balancer.service("web").realServer(lan.lastServer()).remove();
          return lan.process(lan.frame(1).tcp(4000, WEB, TcpHeader.ACK).numbers(2, 9));
        });
    all.put(
        Verdict.FLOW_TABLE_FULL,
        lan -> {
          Verdict verdict = Verdict.FORWARD;
          for (int port = 1; verdict == Verdict.FORWARD; port++) {
            verdict = lan.process(lan.frame(1).tcp(port, WEB, TcpHeader.SYN));
            lan.process(lan.frame(1).tcp(port, WEB, TcpHeader.ACK).numbers(2, 9));
          }
          return verdict;
        });
    all.put(
        Verdict.GSO_NOT_CARRIED,
        lan -> {
          ByteBuf frame = syn(lan, WEB).payload(new byte[100]).build();
          return lan.process(frame, FrameMarks.withGso(FrameMarks.NONE, 1, 50), 0);
        });
  }

  private static void neighbors(Map<Verdict, Function<Lan, Verdict>> all) {
    all.put(
        Verdict.NEIGHBOR_UNREACHABLE,
        lan -> {
          lan.process(syn(lan, SILENT));
          for (int second = 0; second < 6; second++) {
            lan.after(1_000);
          }
          return endOfHeld(lan);
        });
    all.put(
        Verdict.NEIGHBOR_QUEUE_FULL,
        lan -> {
          for (int port = 4000; port < 4032; port++) {
            assertThat(lan.process(lan.frame(1).tcp(port, SILENT, TcpHeader.SYN))).isEqualTo(Verdict.HOLD);
          }
          return lan.process(lan.frame(1).tcp(4032, SILENT, TcpHeader.SYN));
        });
  }

  private static Verdict endOfHeld(Lan lan) {
    assertThat(lan.ended).isNotEmpty();
    return Verdict.valueOf(lan.ended.get(0).split(" ")[1]);
  }

  private static Verdict edited(Lan lan, FrameBuilder builder, UnaryOperator<ByteBuf> edit) {
    return lan.process(edit.apply(builder.build()), FrameMarks.NONE, 0);
  }

  private static int transport(Lan lan) {
    return IP + (lan.v6 ? 40 : 20);
  }

  private static FrameBuilder syn(Lan lan, int port) {
    return lan.frame(1).tcp(4000, port, TcpHeader.SYN);
  }

  private static FrameBuilder echo(Lan lan) {
    return lan.frame(1).icmp(lan.v6 ? 128 : 8, 0, new byte[] {0, 1, 0, 1});
  }

  private static FrameBuilder unreachable(Lan lan, byte[] rest) {
    return lan.frame(1).icmp(lan.v6 ? 1 : 3, lan.v6 ? 4 : 3, rest);
  }

  private static FrameBuilder later(Lan lan, int id, int offset) {
    return syn(lan, WEB).payload(new byte[16]).fragment(id, offset, true);
  }

  private static VirtualServiceBuilder service(boolean v6, String name, int port) {
    return VirtualService.tcp(v6 ? "2001:db8:5::100" : "192.0.2.100", port)
        .named(name)
        .forwarding(DirectServerReturn.create());
  }

  private static Lan lan(Verdict verdict, boolean v6) {
    String silent = v6 ? "2001:db8:5::20" : "192.0.2.20";
    String first = v6 ? "2001:db8:5::11" : "192.0.2.11";
    UnaryOperator<LoadBalancerBuilder> options =
        builder -> {
          builder
              .service(Lan.withServers(Lan.tcp(v6), v6, 2))
              .service(Lan.withServers(service(v6, "off", OFF), v6, 1).enabled(false))
              .service(service(v6, "drained", DRAINED).realServer("s1", first, s -> s.activity(Activity.DRAIN)))
              .service(service(v6, "silent", SILENT).realServer("s1", silent));
          return switch (verdict) {
            case ECHO_REFUSED -> builder.echo(EchoPolicy.DROP);
            case FLOW_TABLE_FULL -> builder.flowTable(16, FlowTableOverflow.REJECT);
            default -> builder;
          };
        };
    return new Lan(v6, options);
  }

  static Stream<Arguments> verdictsOfBothFamilies() {
    return EnumSet.complementOf(TRANSLATORS).stream()
        .flatMap(
            verdict ->
                Stream.of(false, true)
                    .filter(v6 -> !(v6 ? IPV4_ONLY : IPV6_ONLY).contains(verdict))
                    .map(v6 -> Arguments.of(verdict, v6)));
  }

  @ParameterizedTest
  @MethodSource("verdictsOfBothFamilies")
  void shouldEndInThisVerdictAndCountIt(Verdict verdict, boolean v6) {
    try (Lan lan = lan(verdict, v6)) {
      assertThat(SCENARIOS).containsKey(verdict);
      assertThat(SCENARIOS.get(verdict).apply(lan)).isEqualTo(verdict);
      if (verdict == Verdict.HOLD) {
        assertThat(lan.balancer.statistics().held()).isEqualTo(1);
      } else {
        assertThat(lan.balancer.statistics().count(verdict)).isPositive();
      }
    }
  }

  @Test
  void shouldKnowAScenarioForEveryVerdictAndAReasonForEveryDrop() {
    assertThat(SCENARIOS.keySet()).containsExactlyInAnyOrderElementsOf(EnumSet.complementOf(TRANSLATORS));
    assertThat(Arrays.stream(Verdict.values()).filter(Verdict::isDrop).map(Verdict::reason))
        .hasSizeGreaterThanOrEqualTo(30)
        .doesNotHaveDuplicates()
        .allSatisfy(reason -> assertThat(reason).isNotBlank().doesNotEndWith("."));
  }
}

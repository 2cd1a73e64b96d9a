package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A full table of sessions, and bursts. */
class CapacityTest {
  /** Which external endpoints are mapped, by what the listener heard. */
  private static final class Book implements MappingListener {
    final Map<String, String> insideByOutside = new HashMap<>();
    int errors;

    @Override
    public void onMapped(
        long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {
      String was = insideByOutside.put(kind + " " + outside + " " + outsidePort, inside + " " + insidePort);
      errors += was == null ? 0 : 1;
    }

    @Override
    public void onUnmapped(
        long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {
      String was = insideByOutside.remove(kind + " " + outside + " " + outsidePort);
      errors += (inside + " " + insidePort).equals(was) ? 0 : 1;
    }
  }

  @Requirement("N44")
  @ParameterizedTest
  @CsvSource({
    "false,EVICT_EMBRYONIC", "true,EVICT_EMBRYONIC", "false,EVICT_OLDEST", "true,EVICT_OLDEST", "false,REJECT",
    "true,REJECT"
  })
  void shouldStayWithinItsCapacityAndReportEveryMapping(boolean v6, FlowTableOverflow overflow) {
    Book book = new Book();
    try (Network net =
        Network.options(v6).nat(b -> b.listener(book)).with(b -> b.flowTable(256, overflow)).open()) {
      Random random = new Random(3);
      for (int n = 0; n < 20_000; n++) {
        int host = 1 + random.nextInt(100);
        int port = 1024 + random.nextInt(2000);
        boolean tcp = random.nextBoolean();
        FrameBuilder frame = net.from(host, net.peer(1 + random.nextInt(50)));
        Network.Result result = net.fromInside(Network.transport(frame, tcp, port, 80, TcpHeader.SYN));
        if (result.verdict() == Verdict.FORWARD) {
          Packet out = result.forwarded();
          String key = (tcp ? "TCP " : "UDP ") + out.from();
          assertThat(book.insideByOutside.get(key)).isEqualTo(net.inside(host) + " " + port);
        } else {
          assertThat(result.verdict()).isIn(Verdict.FLOW_TABLE_FULL, Verdict.EMBRYONIC_LIMIT);
        }
        assertThat(net.path.sessions()).isLessThanOrEqualTo(256);
        net.sent.clear();
        if (n % 100 == 0) {
          net.afterSeconds(10);
        }
      }
      assertThat(book.errors).isZero();
      assertThat(net.balancer.statistics().flowTable().evictions()).as("half-open ones give way").isPositive();
      net.afterSeconds(400);
      assertThat(net.path.sessions()).isZero();
      assertThat(book.insideByOutside).isEmpty();
    }
  }

  private static final int CAPACITY = 256;

  private static Network full(boolean v6, String what) {
    Network.Options options = Network.options(v6).with(b -> b.flowTable(CAPACITY, FlowTableOverflow.REJECT));
    return switch (what) {
      case "routed" -> options.outbound(b -> b.route(Network.prefix(v6))).open();
      case "proxied" ->
          options
              .singleArm()
              .service(
                  VirtualService.tcp(Network.vip(v6), 80)
                      .named("web")
                      .forwarding(Gateway.fullNat(Network.external(v6, 1)).withProxyProtocol())
                      .realServer("s1", Network.inside(v6, 1), s -> s.port(8080)))
              .open();
      default -> options.nat(b -> b.filtering(Filtering.valueOf(what))).open();
    };
  }

  /** The first SYN of a connection of its own host or client, port and peer. */
  private static Network.Result begin(Network net, boolean proxied, int n) {
    return proxied
        ? net.fromOutside(net.to(net.vip(), net.peer(1 + n % 50)).tcp(5000 + n, 80, TcpHeader.SYN).numbers(1000, 0))
        : net.tcpOut(1 + n % 100, 5000 + n, net.peer(1 + n % 50), 80, TcpHeader.SYN, 1000, 0);
  }

  private static void connect(Network net, boolean proxied, int n) {
    Packet syn = begin(net, proxied, n).forwarded();
    FrameBuilder answer =
        proxied ? net.from(1, syn.source()) : net.to(syn.source(), syn.destination());
    answer.tcp(syn.destinationPort(), syn.sourcePort(), TcpHeader.SYN | TcpHeader.ACK).numbers(5000, 1001);
    (proxied ? net.fromInside(answer) : net.fromOutside(answer)).forwarded();
    Network.Result established =
        proxied
            ? net.fromOutside(
                net.to(net.vip(), net.peer(1 + n % 50)).tcp(5000 + n, 80, TcpHeader.ACK).numbers(1001, 5001))
            : net.tcpOut(1 + n % 100, 5000 + n, net.peer(1 + n % 50), 80, TcpHeader.ACK, 1001, 5001);
    established.forwarded();
  }

  /** The capacity counts flows, whatever else of the table each of them needs: mappings, filters, notes. */
  @ParameterizedTest(name = "IPv6 {0}, {1}")
  @CsvSource({
    "false,ADDRESS_DEPENDENT", "true,ADDRESS_DEPENDENT", "false,ADDRESS_AND_PORT_DEPENDENT",
    "true,ADDRESS_AND_PORT_DEPENDENT", "false,ENDPOINT_INDEPENDENT", "true,ENDPOINT_INDEPENDENT", "false,routed",
    "true,routed", "false,proxied", "true,proxied"
  })
  void shouldHoldAsManyConnectionsAsItsCapacity(boolean v6, String what) {
    boolean proxied = what.equals("proxied");
    try (Network net = full(v6, what)) {
      for (int n = 0; n < CAPACITY; n++) {
        connect(net, proxied, n);
      }
      assertThat(net.path.sessions()).isEqualTo(CAPACITY);
      assertThat(begin(net, proxied, CAPACITY).verdict()).isEqualTo(Verdict.FLOW_TABLE_FULL);
    }
  }

  /** Beyond their share, a new half-open session takes the place of another (FlowTableOverflow). */
  @EveryTransport
  void shouldLetANewHalfOpenSessionTakeThePlaceOfAnother(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).nat(b -> b).sessions(1024).open()) {
      int refused = 0;
      for (int n = 0; n < 2_000; n++) {
        FrameBuilder frame = net.from(1 + n % 50, net.peer(1));
        Verdict verdict =
            net.fromInside(Network.transport(frame, tcp, 2000 + n / 50, 80, TcpHeader.SYN)).verdict();
        refused += verdict == Verdict.FORWARD ? 0 : 1;
        net.sent.clear();
      }
      assertThat(refused).as("new flows refused").isZero();
      assertThat(net.path.sessions()).isLessThanOrEqualTo(256);
    }
  }

  @EveryTransport
  void shouldLoseNoEstablishedConnectionToAFlood(boolean v6, boolean tcp) {
    try (Network net = Network.options(v6).nat(b -> b).sessions(512).open()) {
      int[] ports = new int[100];
      for (int n = 0; n < ports.length; n++) {
        ports[n] = net.connect(1 + n, 5000, net.peer(1), 80);
      }
      for (int n = 0; n < 50_000; n++) {
        FrameBuilder frame = net.from(1 + n % 50, net.peer(2 + n % 7));
        net.fromInside(Network.transport(frame, tcp, 6000 + n / 50, 80, TcpHeader.SYN));
        net.sent.clear();
      }
      for (int n = 0; n < ports.length; n++) {
        Packet back = net.tcpIn(net.peer(1), 80, ports[n], TcpHeader.ACK, 5001, 1001).forwarded();
        assertThat(back.to()).isEqualTo(net.inside(1 + n) + " 5000");
      }
    }
  }

  /** Frames of some conversations in both directions, and from strangers. */
  private static FrameBuilder random(Network net, Random random, boolean[] inside) {
    boolean tcp = random.nextBoolean();
    int host = 1 + random.nextInt(8);
    inside[0] = random.nextBoolean();
    int flags = random.nextInt(3) == 0 ? TcpHeader.ACK : TcpHeader.SYN;
    int peer = 1 + random.nextInt(3);
    if (inside[0]) {
      return Network.transport(net.from(host, net.peer(peer)), tcp, 5000 + host, 80, flags).payload((byte) host);
    }
    boolean service = random.nextBoolean();
    String to = service ? net.vip() : net.external(1);
    int port = service ? 80 : 5000 + host;
    return Network.transport(net.to(to, net.peer(peer)), tcp, 80, port, flags).payload((byte) host);
  }

  @Requirement("N12")
  @BothFamilies
  void shouldTreatABurstLikeItsFrames(boolean v6) {
    try (Network one = Network.options(v6).nat(b -> b).service(Network.web(v6, 2)).open();
        Network burst = Network.options(v6).nat(b -> b).service(Network.web(v6, 2)).open()) {
      Random random = new Random(11);
      boolean[] inside = new boolean[1];
      for (int round = 0; round < 200; round++) {
        List<ByteBuf> frames = new ArrayList<>();
        List<Integer> links = new ArrayList<>();
        List<Verdict> expected = new ArrayList<>();
        List<String> bytes = new ArrayList<>();
        for (int n = 0; n < 32; n++) {
          ByteBuf frame = random(one, random, inside).build();
          frames.add(frame.copy());
          links.add(inside[0] ? Network.INSIDE : Network.OUTSIDE);
          expected.add(one.process(inside[0] ? Network.INSIDE : Network.OUTSIDE, frame).verdict());
          bytes.add(ByteBufUtil.hexDump(frame));
        }
        assertThat(burst.burst(frames, links)).isEqualTo(expected);
        for (int n = 0; n < 32; n++) {
          if (expected.get(n) == Verdict.FORWARD) {
            assertThat(ByteBufUtil.hexDump(frames.get(n))).isEqualTo(bytes.get(n));
          }
        }
        one.afterSeconds(2);
        burst.afterSeconds(2);
      }
    }
  }
}

package io.lb4j.gateway.nat;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.forward.Steering;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Both directions of every kind of session, and all that is about it, go to one worker. */
class NatSteeringTest {
  private static final int ROUNDS = 300;
  private static final int SERVED = 8080;
  private static final int ETHERNET = 14;

  private boolean v6;
  private int workers;
  private Random random;
  private Steering steering;

  static Stream<Arguments> families() {
    return Stream.of(false, true).flatMap(v6 -> IntStream.of(2, 3, 7).mapToObj(n -> Arguments.of(v6, n)));
  }

  private void begin(boolean isV6, int count) {
    v6 = isV6;
    workers = count;
    random = new Random(42 + count);
    Outbound outbound =
        Outbound.builder()
            .nat(v6 ? "2001:db8:a::/64" : "192.0.2.0/25", pool(), vip())
            .route(v6 ? "2001:db8:b::/64" : "192.0.2.128/25")
            .build();
    steering = outbound.steering(random.nextLong(), workers, services());
  }

  private List<VirtualService> services() {
    return List.of(
        VirtualService.tcp(vip(), 80)
            .named("web")
            .forwarding(Gateway.create())
            .realServer("mapped", mapped(1), server -> server.port(SERVED))
            .realServer("routed", routed(1), server -> server.port(SERVED))
            .build(),
        VirtualService.tcp(vip(), 81)
            .named("full")
            .forwarding(Gateway.fullNat(fullNat()))
            .realServer("mapped", mapped(2), server -> server.port(SERVED))
            .build());
  }

  private String mapped(int n) {
    return (v6 ? "2001:db8:a::" : "192.0.2.") + n;
  }

  private String routed(int n) {
    return v6 ? "2001:db8:b::" + n : "192.0.2." + (128 + n);
  }

  private String client(int n) {
    return (v6 ? "2001:db8:c::" : "198.51.100.") + n;
  }

  private String vip() {
    return v6 ? "2001:db8:f::100" : "203.0.113.100";
  }

  private String pool() {
    return v6 ? "2001:db8:f::200" : "203.0.113.200";
  }

  private String fullNat() {
    return v6 ? "2001:db8:e::1" : "203.0.113.1";
  }

  private int any(int n) {
    return 3 + random.nextInt(n);
  }

  private int port() {
    return 10_000 + random.nextInt(50_000);
  }

  private int portOf(int worker) {
    int port = port();
    while (PortPool.ownerOf(port, workers) != worker) {
      port = port();
    }
    return port;
  }

  private static FrameView view(FrameBuilder frame) {
    ByteBuf bytes = frame.build();
    FrameView view = new FrameView();
    view.wrap(bytes, bytes.readerIndex(), bytes.readableBytes(), FrameMarks.NONE, 0);
    assertThat(FrameParser.parseAgain(view)).as("%s", view.verdict()).isNotEqualTo(FrameKind.MALFORMED);
    return view;
  }

  private static FrameBuilder tcp(String from, int fromPort, String to, int toPort) {
    return FrameBuilder.from(from, to).tcp(fromPort, toPort, TcpHeader.ACK).payload(new byte[40]);
  }

  private int owner(FrameBuilder frame) {
    return steering.ownerOf(view(frame));
  }

  /** The worker of a TCP segment; its fragments meet at one worker, where the first one tells the same. */
  private int owner(String from, int fromPort, String to, int toPort) {
    int owner = owner(tcp(from, fromPort, to, toPort));
    assertThat(owner).isBetween(0, workers - 1);
    assertThat(steering.workerOf(view(tcp(from, fromPort, to, toPort)))).isEqualTo(owner);
    FrameView first = view(tcp(from, fromPort, to, toPort).payload(new byte[44]).fragment(9, 0, true));
    FrameView later = view(tcp(from, fromPort, to, toPort).fragment(9, 64, false));
    assertThat(first.kind()).isEqualTo(FrameKind.FIRST_FRAGMENT);
    assertThat(later.kind()).isEqualTo(FrameKind.LATER_FRAGMENT);
    assertThat(steering.workerOf(first)).isEqualTo(steering.workerOf(later));
    assertThat(steering.ownerOf(first)).isEqualTo(owner);
    return owner;
  }

  /** An ICMP error about a packet goes where the session is, whoever sends it. */
  private void assertErrorGoesTo(int worker, String from, int fromPort, String to, int toPort) {
    byte[] packet = ByteBufUtil.getBytes(tcp(from, fromPort, to, toPort).build());
    for (int length : new int[] {(v6 ? 40 : 20) + 8, packet.length - ETHERNET}) {
      byte[] rest = new byte[4 + length];
      System.arraycopy(packet, ETHERNET, rest, 4, length);
      FrameView error = view(FrameBuilder.from(client(250), from).icmp(v6 ? 1 : 3, 1, rest));
      assertThat(steering.workerOf(error)).isEqualTo(worker);
    }
  }

  private void assertOneWorker(int worker, String from, int fromPort, String to, int toPort) {
    assertThat(owner(from, fromPort, to, toPort)).isEqualTo(worker);
    assertErrorGoesTo(worker, to, toPort, from, fromPort);
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldSendARequestAndItsReplyToOneWorker(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      String client = client(any(200));
      int port = port();
      int worker = owner(client, port, vip(), 80);
      assertOneWorker(worker, client, port, vip(), 80);
      assertOneWorker(worker, mapped(1), SERVED, client, port);
      assertOneWorker(worker, routed(1), SERVED, client, port);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldSendTheReplyOfFullNatToTheWorkerThatOwnsItsPort(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      String client = client(any(200));
      int worker = owner(client, port(), vip(), 81);
      int port = portOf(worker);
      assertOneWorker(worker, mapped(2), SERVED, fullNat(), port);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldSendWhatComesBackToAMappingToTheWorkerThatMadeIt(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      String host = mapped(any(100));
      int hostPort = port();
      int worker = owner(host, hostPort, client(any(200)), 443);
      assertThat(owner(host, hostPort, client(any(200)), 80)).as("one mapping for all").isEqualTo(worker);
      assertOneWorker(worker, client(any(200)), 443, pool(), portOf(worker));
      assertOneWorker(worker, client(any(200)), 443, vip(), portOf(worker));
      assertErrorGoesTo(worker, client(7), 443, host, hostPort);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldSendBothDirectionsOfARoutedSessionToOneWorker(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      int port = port();
      int clientPort = port();
      String client = client(any(200));
      for (String host : List.of(routed(any(100)), routed(1))) {
        assertOneWorker(owner(host, port, client, clientPort), client, clientPort, host, port);
        assertOneWorker(owner(client, clientPort, host, SERVED), host, SERVED, client, clientPort);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldSendBothDirectionsBetweenInsideHostsToOneWorker(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      List<String> hosts = List.of(mapped(any(50)), mapped(60 + any(50)), routed(any(50)), routed(60 + any(50)));
      for (String a : hosts) {
        for (String b : hosts) {
          if (!a.equals(b)) {
            int port = port();
            int other = port();
            assertOneWorker(owner(a, port, b, other), b, other, a, port);
          }
        }
        int port = port();
        assertOneWorker(owner(a, port, mapped(1), SERVED), mapped(1), SERVED, a, port);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldMeetAtTheMappingsOwnersWhenAPacketGoesRound(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      String a = mapped(any(50));
      String b = mapped(60 + any(50));
      int ownerA = owner(a, port(), client(3), 443);
      int ownerB = owner(b, port(), client(3), 443);
      int portA = portOf(ownerA);
      int portB = portOf(ownerB);
      assertThat(owner(a, 5000, pool(), portB)).isEqualTo(ownerA);
      assertOneWorker(ownerB, pool(), portA, pool(), portB);
      assertThat(owner(b, 6000, pool(), portA)).isEqualTo(ownerB);
      assertOneWorker(ownerA, pool(), portB, pool(), portA);
      assertThat(owner(a, 5000, vip(), 80)).isEqualTo(ownerA);
      assertOneWorker(ownerA, pool(), portA, vip(), 80);
      assertOneWorker(ownerA, mapped(1), SERVED, pool(), portA);
      String r = routed(any(50));
      assertOneWorker(owner(r, 7000, pool(), portB), b, 6000, r, 7000);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldNameASecondOwnerForWhatAServerBeginsFromItsServicePort(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      String to = client(any(200));
      int mapper = owner(mapped(1), 9, client(any(200)), 9);
      assertThat(steering.otherOwnerOf(view(tcp(mapped(1), SERVED, to, 443)))).isEqualTo(mapper);
      assertThat(steering.otherOwnerOf(view(tcp(mapped(1), 9, to, 443)))).isEqualTo(Steering.NOBODY);
      assertThat(steering.otherOwnerOf(view(tcp(to, 443, vip(), 80)))).isEqualTo(Steering.NOBODY);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldSendAQueryAndItsAnswerToOneWorker(boolean isV6, int count) {
    begin(isV6, count);
    for (int round = 0; round < ROUNDS; round++) {
      String client = client(any(200));
      int id = port();
      assertThat(owner(answer(mapped(1), client, id))).isEqualTo(owner(request(client, vip(), id)));
      String host = mapped(any(100));
      int mapper = owner(request(host, client, id));
      assertThat(owner(answer(client, pool(), portOf(mapper)))).isEqualTo(mapper);
      assertThat(owner(request(host, client(any(200)), port()))).isEqualTo(mapper);
      String outside = routed(any(100));
      assertThat(owner(answer(client, outside, id))).isEqualTo(owner(request(outside, client, id)));
      assertThat(owner(answer(outside, client, id))).isEqualTo(owner(request(client, outside, id)));
      assertThat(owner(answer(mapped(1), host, id))).isEqualTo(owner(request(host, mapped(1), id)));
      assertThat(owner(answer(host, mapped(1), id))).isEqualTo(owner(request(mapped(1), host, id)));
    }
  }

  private FrameBuilder request(String from, String to, int id) {
    return FrameBuilder.from(from, to).icmp(v6 ? 128 : 8, 0, identified(id));
  }

  private FrameBuilder answer(String from, String to, int id) {
    return FrameBuilder.from(from, to).icmp(v6 ? 129 : 0, 0, identified(id));
  }

  private static byte[] identified(int id) {
    return new byte[] {(byte) (id >>> 8), (byte) id, 0, 1, 1, 2, 3, 4};
  }

  @Test
  void shouldUseAllWorkers() {
    begin(false, 3);
    assertThat(IntStream.range(1, 200).map(n -> owner(client(n), 4000, vip(), 80)).distinct().count()).isEqualTo(3);
  }

  @ParameterizedTest
  @MethodSource("families")
  void shouldNotReadPastAQuoteThatIsCut(boolean isV6, int count) {
    begin(isV6, count);
    byte[] packet = ByteBufUtil.getBytes(tcp(vip(), 80, client(9), 4000).build());
    for (int length = 0; length < packet.length - ETHERNET; length++) {
      byte[] rest = new byte[4 + length];
      System.arraycopy(packet, ETHERNET, rest, 4, length);
      ByteBuf frame = FrameBuilder.from(client(250), vip()).icmp(v6 ? 1 : 3, 1, rest).build();
      ByteBuf exact = frame.copy();
      exact.capacity(exact.readableBytes());
      FrameView view = new FrameView();
      view.wrap(exact, 0, exact.readableBytes(), FrameMarks.NONE, 0);
      FrameParser.parse(view);
      assertThat(steering.workerOf(view)).isBetween(0, workers - 1);
      exact.release();
      frame.release();
    }
  }
}

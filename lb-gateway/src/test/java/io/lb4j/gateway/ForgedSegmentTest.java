package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.function.Consumer;

/** Segments with right addresses and ports and wrong numbers, as somebody off the path sends them (RFC 5961). */
class ForgedSegmentTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int RST = TcpHeader.RST;
  private static final int FORGED = 0x12345678;
  private static final int FORGED_SYN = 0x5678ABCD;

  private static FrameBuilder client(Network net, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), net.peer(1)).tcp(3000, 80, flags).numbers(sequence, acknowledgment);
  }

  /** A connection of a client to one of two servers; answers the server's address. */
  private static String connectToService(Network net) {
    String server = net.fromOutside(client(net, SYN, 1000, 0)).forwarded().destination();
    int host = server.equals(net.inside(1)) ? 1 : 2;
    FrameBuilder synAck = net.from(host, net.peer(1)).tcp(8080, 3000, SYN | ACK).numbers(5000, 1001);
    net.fromInside(synAck).forwarded();
    net.fromOutside(client(net, ACK, 1001, 5001)).forwarded();
    return server;
  }

  private static void assertStays(Network net, String server) {
    net.fromOutside(client(net, SYN, FORGED_SYN, 0));
    assertThat(net.fromOutside(client(net, ACK, 1001, 5001)).forwarded().destination()).isEqualTo(server);
  }

  @BothFamilies
  void shouldNotMoveALiveConnectionByAForgedResetAndSyn(boolean v6) {
    for (int n = 0; n < 20; n++) {
      try (Network net = Network.options(v6).service(Network.web(v6, 2)).open()) {
        String server = connectToService(net);
        net.fromOutside(client(net, RST, FORGED + 397 * n, 0));
        assertStays(net, server);
      }
    }
  }

  /** What a forged segment says of the next number is not believed when it lies far away. */
  @BothFamilies
  void shouldNotMoveALiveConnectionByAForgedSegmentResetAndSyn(boolean v6) {
    try (Network net = Network.options(v6).service(Network.web(v6, 2)).open()) {
      String server = connectToService(net);
      net.fromOutside(client(net, ACK, FORGED, 77));
      net.fromOutside(client(net, RST, FORGED, 0));
      assertStays(net, server);
    }
  }

  private static void assertGoesOn(Network net) {
    for (int seconds = 30; seconds <= 300; seconds += 30) {
      net.afterSeconds(30);
      Verdict out = net.tcpOut(1, 5000, net.peer(1), 80, ACK, 1001, 5001).verdict();
      assertThat(out).as("out after %s s", seconds).isEqualTo(Verdict.FORWARD);
      Verdict in = net.tcpIn(net.peer(1), 80, 5000, ACK, 5001, 1001).verdict();
      assertThat(in).as("in after %s s", seconds).isEqualTo(Verdict.FORWARD);
    }
  }

  @Requirement("N21")
  @BothFamilies
  void shouldNotEndALiveConnectionByAForgedResetAndSyn(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 5000, net.peer(1), 80);
      net.tcpIn(net.peer(1), 80, 5000, RST, FORGED, 0);
      net.tcpIn(net.peer(1), 80, 5000, SYN, FORGED_SYN, 0);
      assertGoesOn(net);
    }
  }

  @BothFamilies
  void shouldNotEndALiveConnectionByAForgedSegmentResetAndSyn(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.connect(1, 5000, net.peer(1), 80);
      net.tcpIn(net.peer(1), 80, 5000, ACK, FORGED, 0);
      net.tcpIn(net.peer(1), 80, 5000, RST, FORGED, 0);
      net.tcpIn(net.peer(1), 80, 5000, SYN, FORGED_SYN, 0);
      assertGoesOn(net);
    }
  }

  @BothFamilies
  void shouldEstablishAConnectionThatAForgedResetMetWhileItOpened(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.open(true, 1, 5000, net.peer(1), 80);
      net.tcpIn(net.peer(1), 80, 5000, RST, 0x777, 0);
      net.tcpIn(net.peer(1), 80, 5000, SYN | ACK, 5000, 1001).forwarded();
      net.tcpOut(1, 5000, net.peer(1), 80, ACK, 1001, 5001).forwarded();
      assertGoesOn(net);
    }
  }

  // ---- connections that never were open ------------------------------------------------------------------------

  private static void server(Network net, int flags, int sequence, int acknowledgment) {
    FrameBuilder segment = net.from(1, net.peer(1)).tcp(8080, 3000, flags).numbers(sequence, acknowledgment);
    net.fromInside(segment).forwarded();
  }

  /** Whether a session that adopts lives longer than a half-open one. */
  private static void assertStaysHalfOpen(boolean v6, Consumer<Network> segments) {
    try (Network net =
        Network.options(v6).service(Network.web(v6, 1).scheduler(Schedulers.sourceHash())).open()) {
      segments.accept(net);
      net.afterSeconds(250);
      assertThat(net.path.sessions()).isZero();
    }
  }

  @BothFamilies
  void shouldNotEstablishByAForgedSynResetAndAcknowledgment(boolean v6) {
    assertStaysHalfOpen(
        v6,
        net -> {
          net.fromOutside(client(net, SYN, FORGED_SYN, 0)).forwarded();
          server(net, SYN | ACK, 5000, FORGED_SYN + 1);
          net.fromOutside(client(net, RST, FORGED, 0)).forwarded();
          net.fromOutside(client(net, ACK, FORGED, 77)).forwarded();
          server(net, ACK, 5001, FORGED_SYN + 1); // to a segment outside its window
          net.fromOutside(client(net, ACK, FORGED_SYN + 1, 77)).forwarded();
          server(net, RST, 77, 0);
          net.fromOutside(client(net, ACK, FORGED_SYN + 1, 78)).forwarded();
        });
  }

  @BothFamilies
  void shouldNotEstablishByForgedSegmentsThatOvertakeTheAnswer(boolean v6) {
    assertStaysHalfOpen(
        v6,
        net -> {
          net.fromOutside(client(net, SYN, FORGED_SYN, 0)).forwarded();
          net.fromOutside(client(net, RST, FORGED, 0)).forwarded();
          net.fromOutside(client(net, ACK, FORGED_SYN + 1, 77)).forwarded();
          server(net, SYN | ACK, 5000, FORGED_SYN + 1);
        });
  }

  @BothFamilies
  void shouldNotEstablishAnAdoptedConnectionByAForgedReset(boolean v6) {
    assertStaysHalfOpen(
        v6,
        net -> {
          net.fromOutside(client(net, ACK, FORGED, 77)).forwarded();
          net.fromOutside(client(net, RST, FORGED, 0)).forwarded();
          net.fromOutside(client(net, ACK, FORGED, 77)).forwarded();
          server(net, RST, 77, 0);
          net.fromOutside(client(net, ACK, FORGED, 78)).forwarded();
        });
  }

  /** The server acknowledges the SYN, and knows nothing of the segment before it. */
  @BothFamilies
  void shouldNotEstablishAnAdoptedConnectionByAForgedSyn(boolean v6) {
    for (int number : new int[] {5000, 0x1FFF}) { // the next one's lower bits are 0 as if nothing were known
      assertStaysHalfOpen(
          v6,
          net -> {
            net.fromOutside(client(net, ACK, FORGED, 77)).forwarded();
            net.fromOutside(client(net, SYN, FORGED_SYN, 0)).forwarded();
            server(net, SYN | ACK, number, FORGED_SYN + 1);
          });
    }
  }

  /** A reset between the server's answer and the client's: the client goes on, so it was not the client's. */
  @BothFamilies
  void shouldEstablishAServicesConnectionThatAForgedResetMetWhileItOpened(boolean v6) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      net.fromOutside(client(net, SYN, 1000, 0)).forwarded();
      server(net, SYN | ACK, 5000, 1001);
      net.fromOutside(client(net, RST, FORGED, 0)).forwarded();
      net.fromOutside(client(net, ACK, 1001, 5001)).forwarded();
      net.afterSeconds(7_400);
      server(net, ACK, 5001, 1001);
    }
  }
}

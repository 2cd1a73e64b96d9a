package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowState;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How connections end: the FINs of both sides are seen, whatever was lost, came twice, or came large. */
@Tag("memory")
class TcpEndTest {
  private static final int ACK = TcpHeader.ACK;
  private static final int FIN = TcpHeader.FIN;
  private static final int RST = TcpHeader.RST;
  private static final int SEGMENT = 1448;

  private static FrameBuilder out(Network net, int flags, int sequence, int acknowledgment) {
    return net.from(1, net.peer(1)).tcp(5000, 80, flags).numbers(sequence, acknowledgment);
  }

  private static FrameBuilder in(Network net, int flags, int sequence, int length) {
    return net.to(net.external(1), net.peer(1)).tcp(80, 5000, flags).numbers(sequence, 1001).payload(new byte[length]);
  }

  private static FlowState state(Network net) {
    return SavedSessionsTest.list(net).get(0).state();
  }

  private static Network connected(boolean v6) {
    Network net = Network.options(v6).nat(b -> b).mtu(9_000, 9_000).open();
    net.connect(1, 5000, net.peer(1), 80);
    return net;
  }

  /** The peer's half of a conversation, which ends with a FIN, then the inside host's. */
  private static void assertEnds(boolean v6, Consumer<Network> peer) {
    try (Network net = connected(v6)) {
      peer.accept(net);
      assertThat(state(net)).isEqualTo(FlowState.ESTABLISHED);
      net.fromInside(out(net, FIN | ACK, 1001, 5001)).forwarded();
      assertThat(state(net)).isEqualTo(FlowState.FIN);
      net.afterSeconds(250);
      assertThat(net.path.sessions()).isZero();
    }
  }

  /** The receiver has queued the FIN, so it does not come again. */
  @ParameterizedTest
  @CsvSource({"false,1", "true,1", "false,3", "true,3", "false,40", "true,40"})
  void shouldSeeAFinWhoseDataWasLostBeforeIt(boolean v6, int segments) {
    assertEnds(
        v6,
        net -> {
          net.fromOutside(in(net, FIN | ACK, 5001 + segments * SEGMENT, 0)).forwarded();
          for (int n = 0; n < segments; n++) {
            net.fromOutside(in(net, ACK, 5001 + n * SEGMENT, SEGMENT)).forwarded();
          }
          net.fromOutside(in(net, ACK, 5001 + segments * SEGMENT + 1, 0)).forwarded();
        });
  }

  /** Super-frames and jumbo frames are larger than what the bits of a number can tell apart. */
  @ParameterizedTest
  @CsvSource({"false,5792", "true,5792", "false,8192", "true,8192", "false,8900", "true,8900"})
  void shouldSeeAFinAfterLargeSegments(boolean v6, int length) {
    assertEnds(
        v6,
        net -> {
          net.fromOutside(in(net, ACK, 5001, length)).forwarded();
          net.fromOutside(in(net, FIN | ACK, 5001 + length, 0)).forwarded();
          net.fromOutside(in(net, ACK, 5001 + length + 1, 0)).forwarded();
        });
  }

  @BothFamilies
  void shouldSeeAFinOfALargeSegment(boolean v6) {
    assertEnds(v6, net -> net.fromOutside(in(net, FIN | ACK, 5001, 5792)).forwarded());
  }

  @BothFamilies
  void shouldBelieveAResetAfterLargeSegments(boolean v6) {
    try (Network net = connected(v6)) {
      net.fromOutside(in(net, ACK, 5001, 5792)).forwarded();
      net.fromOutside(in(net, RST, 5001, 0)).forwarded();
      assertThat(state(net)).isEqualTo(FlowState.ESTABLISHED);
      net.fromOutside(in(net, RST, 5001 + 5792, 0)).forwarded();
      assertThat(state(net)).isEqualTo(FlowState.RESET);
    }
  }

  /** What is sent again lies behind, from a distance on seemingly ahead. */
  @BothFamilies
  void shouldSeeAFinAfterDataThatWasSentAgain(boolean v6) {
    int segments = 10;
    for (int again = 0; again < segments; again++) {
      int lost = again;
      assertEnds(
          v6,
          net -> {
            for (int n = 0; n < segments; n++) {
              net.fromOutside(in(net, ACK, 5001 + n * SEGMENT, SEGMENT)).forwarded();
            }
            net.fromOutside(in(net, ACK, 5001 + lost * SEGMENT, SEGMENT)).forwarded();
            net.fromOutside(in(net, FIN | ACK, 5001 + segments * SEGMENT, 0)).forwarded();
          });
    }
  }

  /** A frame of the kind that may be forwarded together with others. */
  private static ByteBuf direct(FrameBuilder frame) {
    ByteBuf built = frame.build();
    ByteBuf copy = Unpooled.directBuffer(built.readableBytes()).writeBytes(built);
    built.release();
    return copy;
  }

  /** Segments that are forwarded together overtake a FIN of their batch. */
  @BothFamilies
  void shouldSeeAFinThatAnAcknowledgmentOfItsBatchOvertakes(boolean v6) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      client(net, TcpHeader.SYN, 1000, 0);
      server(net, TcpHeader.SYN | ACK, 5000, 1001);
      client(net, ACK, 1001, 5001);
      FrameBuilder fin = net.to(net.vip(), net.peer(1)).tcp(3000, 80, FIN | ACK).numbers(1001, 5001);
      FrameBuilder ack = net.to(net.vip(), net.peer(1)).tcp(3000, 80, ACK).numbers(1002, 5002);
      List<ByteBuf> frames = List.of(direct(fin), direct(ack));
      assertThat(net.burst(frames, List.of(Network.OUTSIDE, Network.OUTSIDE))).containsOnly(Verdict.FORWARD);
      frames.forEach(ByteBuf::release);
      server(net, FIN | ACK, 5001, 1002);
      assertThat(state(net)).isEqualTo(FlowState.FIN);
    }
  }

  // ---- adopted connections -------------------------------------------------------------------------------------

  private static void client(Network net, int flags, int sequence, int acknowledgment) {
    FrameBuilder segment = net.to(net.vip(), net.peer(1)).tcp(3000, 80, flags);
    net.fromOutside(segment.numbers(sequence, acknowledgment)).forwarded();
  }

  private static void server(Network net, int flags, int sequence, int acknowledgment) {
    FrameBuilder segment = net.from(1, net.peer(1)).tcp(8080, 3000, flags);
    net.fromInside(segment.numbers(sequence, acknowledgment)).forwarded();
  }

  private static Network adopting(boolean v6) {
    return Network.options(v6).service(Network.web(v6, 1).scheduler(Schedulers.sourceHash())).open();
  }

  /** The first segment that is seen of it, or a later one that comes before the server's answer. */
  @ParameterizedTest
  @CsvSource({"false,false", "true,false", "false,true", "true,true"})
  void shouldRememberTheFinThatAConnectionIsAdoptedBy(boolean v6, boolean later) {
    try (Network net = adopting(v6)) {
      if (later) {
        client(net, ACK, 1001, 5001);
      }
      client(net, FIN | ACK, 1001, 5001);
      assertThat(state(net)).isEqualTo(FlowState.SYN);
      server(net, ACK, 5001, 1002);
      assertThat(state(net)).isEqualTo(FlowState.ESTABLISHED);
      server(net, FIN | ACK, 5001, 1002);
      assertThat(state(net)).isEqualTo(FlowState.FIN);
      client(net, ACK, 1002, 5002);
      net.afterSeconds(250);
      assertThat(net.path.sessions()).isZero();
    }
  }

  @BothFamilies
  void shouldEndAConnectionThatIsAdoptedByAFinWhenTheServerAnswersWithItsOwn(boolean v6) {
    try (Network net = adopting(v6)) {
      client(net, FIN | ACK, 1001, 5001);
      server(net, FIN | ACK, 5001, 1002);
      assertThat(state(net)).isEqualTo(FlowState.FIN);
    }
  }

  @BothFamilies
  void shouldBoundFinsOfNoConnectionLikeSyns(boolean v6) {
    try (Network net =
        Network.options(v6).sessions(64).service(Network.web(v6, 1).scheduler(Schedulers.sourceHash())).open()) {
      for (int n = 0; n < 300; n++) {
        net.fromOutside(net.to(net.vip(), net.peer(1 + n % 200)).tcp(2000 + n, 80, FIN | ACK).numbers(1, 1));
      }
      assertThat(net.path.sessions()).isLessThanOrEqualTo(16);
    }
  }

  // ---- forged FINs ---------------------------------------------------------------------------------------------

  /** What follows a FIN that was not the peer's is forwarded, and keeps the connection alive. */
  @Requirement("N21")
  @ParameterizedTest
  @CsvSource({"false,5001", "true,5001", "false,6000", "true,6000", "false,999999", "true,999999"})
  void shouldCarryAHalfClosedConnectionThroughAForgedFin(boolean v6, int forged) {
    try (Network net = connected(v6)) {
      net.fromInside(out(net, FIN | ACK, 1001, 5001)).forwarded();
      net.fromOutside(in(net, FIN | ACK, forged, 0)).forwarded();
      for (int n = 0; n < 40; n++) {
        net.afterSeconds(200);
        assertThat(net.fromOutside(in(net, ACK, 5001 + n * SEGMENT, SEGMENT)).forwarded().to())
            .isEqualTo(net.inside(1) + " 5000");
        net.fromInside(out(net, ACK, 1002, 5001 + (n + 1) * SEGMENT)).forwarded();
      }
    }
  }

  /** One side's FIN shortens nothing, wherever it is. */
  @Requirement("N21")
  @BothFamilies
  void shouldNotShortenAConnectionByForgedFins(boolean v6) {
    try (Network net = connected(v6)) {
      for (int n = 0; n < 64; n++) {
        net.fromOutside(in(net, FIN | ACK, n * 1_000_003, 0)).forwarded();
      }
      net.afterSeconds(7_400);
      net.fromInside(out(net, ACK, 1001, 5001)).forwarded();
    }
  }
}

package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;

/** Frames that left something to a device, where they are copied, lengthened, answered, quoted or go round twice. */
class MarkedFrameTest {
  private static final long PARTIAL = FrameMarks.CHECKSUM_PARTIAL;
  private static final long TAG = FrameMarks.withVlan(FrameMarks.NONE, 0x2005);
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;

  /** A frame whose checksum is the folded sum of the pseudo-header alone. */
  private static ByteBuf unfinished(FrameBuilder frame) {
    ByteBuf bytes = frame.build();
    Packet packet = Packet.of(bytes);
    return bytes.setShort(packet.transport + (packet.protocol == Packet.TCP ? 16 : 6), packet.pseudoHeader());
  }

  /** It is finished on the way out, after two rewrites: a wrong one would show. */
  @EveryTransport
  void shouldRewriteAnUnfinishedChecksumTwiceInAHairpin(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6, b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))) {
      int b = net.open(tcp, 2, 6002, net.peer(1), 80).sourcePort();
      FrameBuilder frame = Network.transport(net.from(1, net.external(1)), tcp, 6001, b, SYN).payload(Frames.bytes(55, 1));
      Packet there = net.process(Network.INSIDE, unfinished(frame), PARTIAL | TAG, 0).forwarded();
      assertThat(there.to()).isEqualTo(net.inside(2) + " 6002");
      assertThat(there.source()).isEqualTo(net.external(1));
      assertThat(there.marks).isEqualTo(TAG);
    }
  }

  @BothFamilies
  void shouldPutTheProxyHeaderBeforeASuperFrameAndMoveItsNumber(boolean v6) {
    try (Network net =
        Network.options(v6)
            .singleArm()
            .service(
                VirtualService.tcp(Network.vip(v6), 80)
                    .named("web")
                    .forwarding(Gateway.fullNat(Network.external(v6, 1)).withProxyProtocol())
                    .realServer("s1", Network.near(v6, 1), s -> s.port(8080)))
            .open()) {
      net.path.cutSuperFrames();
      Packet syn = net.fromOutside(client(net, SYN, 1000, 0)).forwarded();
      FrameBuilder answer =
          FrameBuilder.from(Network.near(v6, 1), net.external(1))
              .macs(Network.OUTSIDE_MAC, Network.nearMac(1))
              .tcp(8080, syn.sourcePort(), SYN | ACK)
              .numbers(5000, 1001);
      net.fromOutside(answer).forwarded();
      net.fromOutside(client(net, ACK, 1001, 5001)).forwarded();
      long marks = FrameMarks.withGso(PARTIAL | TAG, v6 ? 4 : 1, 1400);
      byte[] data = Frames.bytes(20_000, 5);
      Network.Result result =
          net.process(Network.OUTSIDE, unfinished(client(net, ACK, 1001, 5001).payload(data)), marks, 0);
      assertThat(result.verdict()).isEqualTo(Verdict.FORWARD);
      assertThat(result.sent()).hasSize(2);
      Packet header = result.sent().get(0);
      Packet rest = result.sent().get(1);
      assertThat(header.marks).as("whole, on the same VLAN").isEqualTo(TAG);
      assertThat(header.sequence()).isEqualTo(1001);
      assertThat(rest.marks).isEqualTo(marks);
      assertThat(rest.sequence()).isEqualTo(1001 + header.payload().length);
      assertThat(rest.payload()).isEqualTo(data);
      assertThat(rest.checksum() % 0xFFFF).isEqualTo(rest.pseudoHeader() % 0xFFFF);
    }
  }

  private static FrameBuilder client(Network net, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), net.peer(1)).tcp(3000, 80, flags).numbers(sequence, acknowledgment);
  }

  /** The sender knows its packet by the checksum, if at all; the error goes back on its VLAN. */
  @BothFamilies
  void shouldFinishAChecksumBeforeQuotingItInARefusal(boolean v6) {
    try (Network net = Network.options(v6).with(b -> b.unserved(UnservedPolicy.REJECT)).service(Network.web(v6, 1)).open()) {
      ByteBuf frame = unfinished(net.to(net.vip(), net.peer(1)).udp(3000, 81).payload(Frames.bytes(99, 2)));
      Network.Result result = net.process(Network.OUTSIDE, frame, PARTIAL | TAG, 0);
      assertThat(result.verdict()).isEqualTo(Verdict.ANSWER);
      Packet error = result.sent().get(0);
      assertThat(error.marks).isEqualTo(TAG);
      assertThat(error.quote().transportChecksumIsRight()).isTrue();
    }
  }

  @BothFamilies
  void shouldSendARoutersErrorOnTheVlanOfItsPacket(boolean v6) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder frame = net.from(1, net.peer(1)).udp(5000, 53).timeToLive(1).payload(Frames.bytes(99, 3));
      Packet error = net.process(Network.INSIDE, unfinished(frame), PARTIAL | TAG, 0).error(Verdict.TIME_EXCEEDED);
      assertThat(error.marks).isEqualTo(TAG);
      assertThat(error.quote().transportChecksumIsRight()).isTrue();
    }
  }
}

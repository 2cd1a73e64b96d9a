package io.lb4j.examples.offload;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Gateway;
import io.lb4j.pcap.PcapPort;
import io.lb4j.pcap.packet.PacketPort;
import io.lb4j.pcap.xdp.XdpPort;
import io.lb4j.port.Port;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Frames come in by packet sockets with unfinished checksums and uncut, and leave by a port that carries neither: the
 * balancer finishes and cuts them itself.
 */
@Tag("root")
@Timeout(60)
class MixedPortsTest {
  private static final int SEGMENT = 1_400;
  private static final int SEGMENTS = 40;

  private static LoadBalancer start(boolean v6, Port eth0, Port eth1) {
    LoadBalancer balancer =
        DualArm.between(eth0, eth1)
            .neighbor(DualArm.server(v6), DualArm.SERVER_MAC)
            .service(
                VirtualService.tcp(DualArm.vip(v6), 80)
                    .named("web")
                    .forwarding(Gateway.create())
                    .adoptsConnections(true)
                    .realServer("s1", DualArm.server(v6), s -> s.port(8080)))
            .build();
    balancer.start();
    return balancer;
  }

  private static ByteBuf segment(boolean v6, int flags, int payload) {
    FrameBuilder frame =
        FrameBuilder.from(DualArm.peer(v6), DualArm.vip(v6)).macs(DualArm.OUTSIDE_MAC, DualArm.ROUTER_MAC);
    byte[] bytes = new byte[payload];
    for (int i = 0; i < payload; i++) {
      bytes[i] = (byte) (i * 13 + (i >>> 9));
    }
    return Unfinished.frame(frame.tcp(4000, 80, flags).numbers(1000, 1).payload(bytes));
  }

  @ParameterizedTest(name = "IPv6 {0}, {1}")
  @CsvSource({"false, pcap", "true, pcap", "false, xdp", "true, xdp"})
  void shouldFinishAndCutWhatThePortDoesNotCarry(boolean v6, String way) {
    Assumptions.assumeTrue(Cable.obstacle().isEmpty(), Cable::obstacle);
    try (Cable outside = new Cable();
        Cable inside = new Cable();
        PacketPort client = Cable.open(outside.far);
        PacketPort server = Cable.open(inside.far)) {
      Port eth1 = way.equals("pcap") ? PcapPort.open(inside.near) : XdpPort.builder(inside.near).open();
      LoadBalancer balancer = start(v6, Cable.open(outside.near), eth1);
      Cable.send(client, segment(v6, TcpHeader.SYN, 0), FrameMarks.CHECKSUM_PARTIAL);
      assertThat(receive(server, 1, balancer)).as("no payload").isEqualTo(Unpooled.EMPTY_BUFFER);
      ByteBuf data = segment(v6, TcpHeader.ACK, SEGMENTS * SEGMENT);
      Cable.send(client, data, FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, v6 ? 4 : 1, SEGMENT));
      int headers = Unfinished.transport(data) + 20;
      ByteBuf seen = receive(server, SEGMENTS, balancer);
      assertThat(seen.equals(data.slice(headers, data.readableBytes() - headers))).as("the same bytes in order").isTrue();
      balancer.close();
      Statistics end = balancer.statistics();
      assertThat(end.holds()).isTrue();
      assertThat(end.count(Verdict.FORWARD)).isEqualTo(2);
      assertThat(end.transmitted()).isEqualTo(1 + SEGMENTS);
    }
  }

  /** The payload of the next frames, each of which is whole and right. */
  private static ByteBuf receive(PacketPort port, int count, LoadBalancer balancer) {
    ByteBuf payload = Unpooled.buffer();
    List<ByteBuf> frames =
        Cable.receive(port, count, view -> assertThat(view.marks()).isEqualTo(FrameMarks.NONE), balancer);
    for (ByteBuf frame : frames) {
      assertThat(Unfinished.isRight(frame)).isTrue();
      int data = Unfinished.transport(frame) + 20;
      payload.writeBytes(frame, data, frame.readableBytes() - data);
    }
    return payload;
  }
}

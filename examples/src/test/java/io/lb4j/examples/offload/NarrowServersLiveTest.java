package io.lb4j.examples.offload;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.pcap.packet.PacketPort;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Direct Server Return from a device to one with a smaller MTU: the kernel's devices refuse what is too long, so its
 * sender has to be told, and what fits has to arrive.
 */
@Tag("root")
@Timeout(60)
class NarrowServersLiveTest {
  private static final int NARROW = 1_400;
  private static final int WIDE = 1_500;
  private static final int SEGMENTS = 20;
  private static final Consumer<FrameView> AS_IT_CAME = view -> {};

  private static ByteBuf segment(boolean v6, int flags, int payload) {
    FrameBuilder frame =
        FrameBuilder.from(DualArm.peer(v6), DualArm.vip(v6)).macs(DualArm.OUTSIDE_MAC, DualArm.ROUTER_MAC);
    return Unfinished.frame(frame.tcp(4000, 80, flags).numbers(1000, 1).payload(new byte[payload]));
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTellTheClientAndCarryWhatFits(boolean v6) {
    Assumptions.assumeTrue(Cable.obstacle().isEmpty(), Cable::obstacle);
    int headers = (v6 ? 40 : 20) + 20;
    try (Cable outside = new Cable(); Cable inside = new Cable()) {
      inside.mtu(NARROW);
      try (PacketPort client = Cable.open(outside.far);
          PacketPort server = Cable.open(inside.far);
          LoadBalancer balancer = start(v6, outside, inside)) {
        Cable.send(client, segment(v6, TcpHeader.SYN, 0), FrameMarks.CHECKSUM_PARTIAL);
        Cable.receive(server, 1, AS_IT_CAME, balancer);
        Cable.send(client, segment(v6, TcpHeader.ACK, WIDE - headers), FrameMarks.CHECKSUM_PARTIAL);
        assertTold(v6, Cable.receive(client, 1, AS_IT_CAME, balancer).get(0));
        long gso = FrameMarks.CHECKSUM_PARTIAL;
        ByteBuf superFrame = segment(v6, TcpHeader.ACK, SEGMENTS * 1_000);
        Cable.send(client, superFrame, FrameMarks.withGso(gso, v6 ? 4 : 1, WIDE - headers));
        assertTold(v6, Cable.receive(client, 1, AS_IT_CAME, balancer).get(0));
        Cable.send(client, superFrame, FrameMarks.withGso(gso, v6 ? 4 : 1, 1_000));
        assertThat(Cable.receive(server, SEGMENTS, AS_IT_CAME, balancer)).allSatisfy(
            frame -> assertThat(frame.readableBytes()).isEqualTo(14 + headers + 1_000));
        Statistics seen = balancer.statistics();
        assertThat(seen.count(Verdict.PACKET_TOO_BIG)).isEqualTo(2);
        assertThat(seen.refused()).as("by a device").isZero();
        assertThat(seen.holds()).isTrue();
      }
    }
  }

  private static LoadBalancer start(boolean v6, Cable outside, Cable inside) {
    LoadBalancer balancer =
        DualArm.between(Cable.open(outside.near), Cable.open(inside.near))
            .neighbor(DualArm.server(v6), DualArm.SERVER_MAC)
            .service(
                VirtualService.tcp(DualArm.vip(v6), 80)
                    .named("web")
                    .forwarding(DirectServerReturn.create())
                    .realServer("s1", DualArm.server(v6)))
            .build();
    balancer.start();
    return balancer;
  }

  /** "Fragmentation needed", or "packet too big", and the MTU. */
  private static void assertTold(boolean v6, ByteBuf frame) {
    int icmp = v6 ? 54 : 34;
    assertThat((int) frame.getUnsignedByte(v6 ? 20 : 23)).isEqualTo(v6 ? 58 : 1);
    assertThat(frame.getUnsignedShort(icmp)).isEqualTo(v6 ? 0x0200 : 0x0304);
    assertThat(frame.getInt(icmp + 4)).isEqualTo(NARROW);
  }
}

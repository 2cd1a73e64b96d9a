package io.lb4j.examples.offload;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.frame.FrameMarks;
import io.lb4j.gateway.Gateway;
import io.lb4j.pcap.packet.PacketPort;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Translation of frames whose checksum somebody finishes later: senders leave it to their devices, the balancer
 * rewrites what stands there, and its kernel finishes it, because the devices the frames leave by cannot. What arrives
 * has left nothing to anybody, so a wrong rewrite shows; between devices that pass on what is unfinished it would not,
 * since nobody looks at such a sum.
 *
 * <pre>
 *   client ── cable ──[eth0 balancer eth1]── cable ── server
 * </pre>
 */
@Tag("root")
@Timeout(120)
class UnfinishedChecksumTest {
  private static final int SEGMENT = 1_400;

  private static Cable outside;
  private static Cable inside;
  private static PacketPort client;
  private static PacketPort server;
  private static PacketPort beside; // on the balancer's inner device, for what a wrong balancer would send
  private static LoadBalancer balancer;
  private static int nextPort = 20_000;

  @BeforeAll
  static void up() {
    Assumptions.assumeTrue(Cable.obstacle().isEmpty(), Cable::obstacle);
    outside = new Cable();
    inside = new Cable();
    client = Cable.open(outside.far);
    server = Cable.open(inside.far);
    beside = Cable.open(inside.near);
    LoadBalancerBuilder builder = DualArm.between(Cable.open(outside.near), Cable.open(inside.near));
    for (boolean v6 : new boolean[] {false, true}) {
      builder
          .neighbor(router(v6), DualArm.ROUTER_MAC)
          .neighbor(DualArm.server(v6), DualArm.SERVER_MAC)
          .route(v6 ? "::/0" : "0.0.0.0/0", router(v6));
      for (boolean full : new boolean[] {false, true}) {
        Gateway method = full ? Gateway.fullNat(pool(v6)) : Gateway.create();
        String name = (v6 ? "6" : "4") + (full ? "full" : "dnat");
        VirtualServiceBuilder tcp = VirtualService.tcp(DualArm.vip(v6), port(full)).named("tcp" + name);
        VirtualServiceBuilder udp = VirtualService.udp(DualArm.vip(v6), port(full)).named("udp" + name);
        for (VirtualServiceBuilder service : List.of(tcp, udp)) {
          builder.service(service.forwarding(method).realServer("s1", DualArm.server(v6), s -> s.port(8080)));
        }
      }
    }
    balancer = builder.build();
    balancer.start();
  }

  @AfterAll
  static void down() {
    if (balancer != null) {
      assertThat(balancer.statistics().holds()).isTrue();
      assertThat(balancer.statistics().refused()).isZero();
      balancer.close();
      List.of(client, server, beside).forEach(PacketPort::close);
    }
    if (inside != null) {
      inside.close();
    }
    if (outside != null) {
      outside.close();
    }
  }

  private static String router(boolean v6) {
    return v6 ? "2001:db8:c::1" : "198.51.100.1";
  }

  private static String pool(boolean v6) {
    return v6 ? "2001:db8:5::e1" : "192.0.2.225";
  }

  private static int port(boolean full) {
    return full ? 81 : 80;
  }

  @ParameterizedTest(name = "IPv6 {0}, TCP {1}, full NAT {2}")
  @CsvSource({
    "false,false,false", "false,false,true", "false,true,false", "false,true,true",
    "true,false,false", "true,false,true", "true,true,false", "true,true,true"
  })
  void shouldLeaveASumThatTheKernelFinishesRightBothWays(boolean v6, boolean tcp, boolean full) {
    int port = nextPort++;
    ByteBuf request = fromClient(v6, tcp, port, full, TcpHeader.SYN, 1_001);
    Cable.send(client, request, FrameMarks.CHECKSUM_PARTIAL);
    ByteBuf arrived = receive(server, 1).get(0);
    assertFinished(arrived, request);
    assertThat(ports(arrived) & 0xFFFF).as("to the server's port").isEqualTo(8080);

    ByteBuf answer = fromServer(v6, tcp, arrived, full, TcpHeader.SYN | TcpHeader.ACK, 777);
    Cable.send(server, answer, FrameMarks.CHECKSUM_PARTIAL);
    ByteBuf back = receive(client, 1).get(0);
    assertFinished(back, answer);
    assertThat(ports(back)).as("from the service's port").isEqualTo(port(full) << 16 | port);

    ByteBuf naive = naively(request, arrived);
    Cable.send(beside, naive, FrameMarks.CHECKSUM_PARTIAL);
    ByteBuf broken = receive(server, 1).get(0);
    assertThat(Unfinished.isRight(broken)).as("an update as of a whole checksum, once it is finished").isFalse();
    broken.setShort(Unfinished.field(broken), Unfinished.checksum(arrived));
    assertThat(broken).as("nothing else was different").isEqualTo(arrived);
  }

  /** The same for a super-frame, which the kernel cuts as well. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldLeaveASuperFrameThatTheKernelCutsIntoRightSegments(boolean v6) {
    for (boolean full : new boolean[] {false, true}) {
      int port = nextPort++;
      Cable.send(client, fromClient(v6, true, port, full, TcpHeader.SYN, 0), FrameMarks.CHECKSUM_PARTIAL);
      ByteBuf syn = receive(server, 1).get(0);
      Cable.send(server, fromServer(v6, true, syn, full, TcpHeader.SYN | TcpHeader.ACK, 0), FrameMarks.CHECKSUM_PARTIAL);
      receive(client, 1);
      long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, v6 ? 4 : 1, SEGMENT);
      Cable.send(client, fromClient(v6, true, port, full, TcpHeader.ACK, 20 * SEGMENT), marks);
      assertSegments(receive(server, 20), ports(syn));
      Cable.send(server, fromServer(v6, true, syn, full, TcpHeader.ACK, 20 * SEGMENT), marks);
      assertSegments(receive(client, 20), port(full) << 16 | port);
    }
  }

  private static void assertSegments(List<ByteBuf> segments, int ports) {
    for (ByteBuf segment : segments) {
      assertThat(Unfinished.isRight(segment)).isTrue();
      assertThat(segment.readableBytes()).isEqualTo(Unfinished.transport(segment) + 20 + SEGMENT);
      assertThat(ports(segment)).isEqualTo(ports);
    }
  }

  private static void assertFinished(ByteBuf arrived, ByteBuf sent) {
    assertThat(Unfinished.isRight(arrived)).as("the finished checksum").isTrue();
    assertThat(arrived.readableBytes()).isEqualTo(sent.readableBytes());
    int data = Unfinished.transport(sent) + (Unfinished.isTcp(sent) ? 20 : 8);
    assertThat(arrived.slice(data, arrived.readableBytes() - data)).isEqualTo(sent.slice(data, sent.readableBytes() - data));
  }

  /** The frame as it was rewritten, with what an update as of a whole checksum (RFC 1624, equation 3) would leave. */
  private static ByteBuf naively(ByteBuf before, ByteBuf after) {
    ByteBuf naive = Unfinished.inNativeMemory(after);
    int end = Unfinished.transport(before) + 4; // addresses and ports
    int begin = Unfinished.isV6(before) ? 22 : 26;
    long sum = (~Unfinished.checksum(before) & 0xFFFF) + Unfinished.words(after, begin, end);
    for (int at = begin; at < end; at += 2) {
      sum += ~before.getUnsignedShort(at) & 0xFFFF;
    }
    naive.setShort(Unfinished.field(naive), ~Unfinished.fold(sum) & 0xFFFF);
    return naive;
  }

  // ---- frames --------------------------------------------------------------------------------------------------

  private static ByteBuf fromClient(boolean v6, boolean tcp, int port, boolean full, int flags, int payload) {
    FrameBuilder frame = FrameBuilder.from(DualArm.peer(v6), DualArm.vip(v6)).macs(DualArm.OUTSIDE_MAC, DualArm.ROUTER_MAC);
    return built(tcp ? frame.tcp(port, port(full), flags).numbers(1000, 5001) : frame.udp(port, port(full)), payload);
  }

  /** The answer to what arrived at the server. */
  private static ByteBuf fromServer(boolean v6, boolean tcp, ByteBuf arrived, boolean full, int flags, int payload) {
    FrameBuilder frame = FrameBuilder.from(DualArm.server(v6), full ? pool(v6) : DualArm.peer(v6))
        .macs(DualArm.INSIDE_MAC, DualArm.SERVER_MAC);
    int to = ports(arrived) >>> 16;
    return built(tcp ? frame.tcp(8080, to, flags).numbers(5000, 1001) : frame.udp(8080, to), payload);
  }

  private static ByteBuf built(FrameBuilder builder, int payload) {
    byte[] bytes = new byte[payload];
    for (int i = 0; i < payload; i++) {
      bytes[i] = (byte) (i * 31 + 0x80);
    }
    return Unfinished.frame(builder.payload(bytes));
  }

  private static int ports(ByteBuf frame) {
    return frame.getInt(Unfinished.transport(frame));
  }

  /** Copies of the next frames, none of which may have left anything to its receiver's device. */
  private static List<ByteBuf> receive(PacketPort port, int count) {
    return Cable.receive(
        port, count, view -> assertThat(view.marks()).as("finished").isEqualTo(FrameMarks.NONE), balancer);
  }
}

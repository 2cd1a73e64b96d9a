package io.lb4j.pcap.xdp;

import static io.lb4j.pcap.VethPair.must;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.address.IpPrefix;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.VethPair;
import io.lb4j.pcap.host.BalancerAddresses;
import io.lb4j.pcap.host.KernelShield;
import io.lb4j.port.PortQueue;
import io.lb4j.port.SteeredPrefixes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of the traffic of a wire comes to the port, over all queues, and what stays the host's. */
@Tag("root")
@Timeout(60)
class XdpPortTrafficTest extends LivePortFixture {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int FRAGMENT = 44;
  private static final long FOREIGN = 0x02_FF_00_00_00_01L;
  private static final SteeredPrefixes PREFIXES =
      new SteeredPrefixes(
          List.of(IpPrefix.of("192.0.2.10/32"), IpPrefix.of("203.0.113.64/26"), IpPrefix.of("2001:db8::10/128")),
          List.of(IpPrefix.of("198.51.100.0/24"), IpPrefix.of("2001:db8:1::/64")));

  private XdpPort steered(String device, int queues) {
    XdpPort port = closedAfterwards(XdpPort.builder(device).ringSize(64).queues(queues).open());
    port.steer(PREFIXES);
    return port;
  }

  private XdpPort everything(String device, int queues) {
    return closedAfterwards(XdpPort.builder(device).ringSize(64).queues(queues).everything(true).open());
  }

  private static void transmit(PortQueue queue, ByteBuf... frames) {
    for (ByteBuf frame : frames) {
      assertThat(queue.transmit(frame, 0, frame.readableBytes(), FrameMarks.NONE)).isTrue();
    }
    assertThat(queue.flush()).isZero();
  }

  /** What comes within a moment of nothing coming. */
  private static List<String> receiveAll(PortQueue queue) {
    List<String> dumps = new ArrayList<>();
    FrameBatch batch = new FrameBatch();
    int idle = 0;
    while (idle < 3) {
      int got = queue.receive(batch, 0);
      for (int i = 0; i < got; i++) {
        dumps.add(ByteBufUtil.hexDump(batch.get(i).buffer(), batch.get(i).start(), batch.get(i).length()));
      }
      queue.release();
      batch.clear();
      idle = got > 0 ? 0 : idle + 1;
      queue.await(30_000_000);
    }
    return dumps;
  }

  private static List<String> dumps(ByteBuf... frames) {
    return java.util.Arrays.stream(frames).map(ByteBufUtil::hexDump).toList();
  }

  @Test
  void shouldTakeFramesOfAllPrefixesInTagsAndFragmentsAndNoOthers() {
    XdpPort port = steered(pair.left, 1);
    XdpPort wire = everything(pair.right, 1);
    long own = port.traits().mac().value();
    ByteBuf[] ours = {
      IpFrames.packet(FOREIGN, 0, "203.0.113.1", "192.0.2.10", TCP),
      IpFrames.packet(FOREIGN, 1, "203.0.113.1", "203.0.113.127", TCP),
      IpFrames.packet(FOREIGN, 2, "203.0.113.1", "192.0.2.10", TCP),
      IpFrames.packet(FOREIGN, 1, "2001:db8:9::1", "2001:db8::10", TCP),
      IpFrames.packet(own, 1, "198.51.100.7", "203.0.113.1", TCP),
      IpFrames.packet(own, 0, "2001:db8:1::7", "2001:db8:9::1", TCP),
      IpFrames.packet(FOREIGN, 0, "203.0.113.1", "192.0.2.10", TCP).setShort(14 + 6, 0x2000),
      IpFrames.packet(FOREIGN, 1, "203.0.113.1", "192.0.2.10", TCP).setShort(18 + 6, 185),
      IpFrames.packet(FOREIGN, 0, "2001:db8:9::1", "2001:db8::10", FRAGMENT),
    };
    ByteBuf[] others = {
      IpFrames.packet(FOREIGN, 0, "203.0.113.1", "192.0.2.11", TCP),
      IpFrames.packet(FOREIGN, 1, "203.0.113.1", "203.0.113.128", TCP),
      IpFrames.packet(FOREIGN, 0, "2001:db8:9::1", "2001:db8::11", TCP),
      IpFrames.packet(FOREIGN, 0, "198.51.100.7", "203.0.113.1", TCP),
      IpFrames.packet(own, 0, "2001:db8:2::7", "2001:db8:9::1", TCP),
      IpFrames.packet(own, 0, "198.51.100.7", "203.0.113.254", TCP), // to a verification beside us
      IpFrames.packet(own, 1, "2001:db8:1::7", "2001:db8:ffff:ffff::fe", TCP),
    };
    for (int i = 0; i < ours.length; i++) {
      transmit(wire.queue(0), ours[i], others[i % others.length]);
    }
    assertThat(receiveAll(port.queue(0))).isEqualTo(dumps(ours));
    assertThat(port.counters().receivedFrames()).isEqualTo(ours.length);
  }

  @Test
  void shouldReceiveEachQueuesFramesSteeredAlike() {
    try (VethPair wide = VethPair.create(2)) {
      XdpPort wire = everything(wide.right, 2);
      ByteBuf v4 = IpFrames.packet(FOREIGN, 0, "203.0.113.1", "192.0.2.10", TCP);
      ByteBuf v6 = IpFrames.packet(FOREIGN, 0, "2001:db8:9::1", "2001:db8::10", TCP);
      ByteBuf other = IpFrames.packet(FOREIGN, 0, "203.0.113.1", "192.0.2.11", TCP);
      XdpPort divided = steered(wide.left, 2);
      transmit(wire.queue(0), v4, other, v4);
      transmit(wire.queue(1), v6, other);
      assertThat(receiveAll(divided.queue(0))).isEqualTo(dumps(v4, v4));
      assertThat(receiveAll(divided.queue(1))).isEqualTo(dumps(v6));
      transmit(divided.queue(1), v6);
      assertThat(receiveAll(wire.queue(1))).isEqualTo(dumps(v6));
      divided.close();

      XdpPort united = steered(wide.left, 1);
      transmit(wire.queue(1), v6, other);
      transmit(wire.queue(0), v4, other);
      assertThat(receiveAll(united.queue(0))).containsExactlyInAnyOrderElementsOf(dumps(v4, v6));
      assertThat(united.counters().receivedFrames()).isEqualTo(2);
      united.close();
    }
  }

  /** A connection to the host's own address, such as ssh, while the balancer's frames come in beside it. */
  @Test
  void shouldLeaveTheHostItsConnections() throws Exception {
    String space = pair.right;
    must("ip", "netns", "add", space);
    try (ServerSocket server = new ServerSocket()) {
      must("ip", "link", "set", pair.right, "netns", space);
      must("ip", "-n", space, "addr", "add", "198.51.100.2/24", "dev", pair.right);
      must("ip", "-n", space, "link", "set", pair.right, "up");
      must("ip", "-n", space, "route", "add", "192.0.2.10/32", "dev", pair.right);
      must("ip", "addr", "add", "198.51.100.1/24", "dev", pair.left);
      server.bind(new java.net.InetSocketAddress(InetAddress.getByName("198.51.100.1"), 0));
      server.setSoTimeout(10_000);
      XdpPort port = steered(pair.left, 1);
      must("ip", "-n", space, "neigh", "add", "192.0.2.10", "lladdr", port.traits().mac().toString(), "dev", pair.right);
      String client =
          "ping -c 20 -i 0.02 -W 1 192.0.2.10 > /dev/null & exec 3<>/dev/tcp/198.51.100.1/" + server.getLocalPort()
              + "; head -c 3000000 /dev/zero >&3; read -r answer <&3; wait; echo \"$answer\"";
      Process process =
          new ProcessBuilder("ip", "netns", "exec", space, "bash", "-c", client).redirectErrorStream(true).start();
      try (Socket connection = server.accept()) {
        assertThat(connection.getInputStream().readNBytes(3_000_000)).hasSize(3_000_000);
        connection.getOutputStream().write("survived\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII))
            .contains("survived");
      }
      assertThat(pings(receiveAll(port.queue(0)))).as("the balancer's frames").isEqualTo(20);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } finally {
      must("ip", "netns", "del", space);
    }
  }

  /** Echo requests to 192.0.2.10; ARP of the two hosts comes too. */
  private static long pings(List<String> dumps) {
    return dumps.stream().filter(dump -> dump.startsWith("0800", 24) && dump.startsWith("c000020a08", 60)).count();
  }

  /** The balancer probes from the host's addresses: what answers goes to both, and what asks is the host's alone. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void shouldReceiveAnswersAndErrorsToProbesBesideTheHost(int tags) {
    XdpPort port = steered(pair.left, 1);
    XdpPort wire = everything(pair.right, 1);
    ByteBuf[] ours = IntStream.concat(IntStream.of(0, 3, 4, 5, 11, 12), IntStream.of(-1, -2, -3, -4, -129))
        .mapToObj(type -> icmp(tags, type)).toArray(ByteBuf[]::new);
    ByteBuf[] others = IntStream.concat(IntStream.of(1, 2, 6, 8, 10, 13), IntStream.of(-5, -128, -130, -138))
        .mapToObj(type -> icmp(tags, type)).toArray(ByteBuf[]::new);
    transmit(wire.queue(0), ours);
    transmit(wire.queue(0), others);
    assertThat(receiveAll(port.queue(0))).containsExactlyInAnyOrderElementsOf(dumps(ours));
  }

  /** A server answers a dsr monitor's question as the virtual address; lb verify beside us waits for the same. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void shouldShareWithTheHostWhatIsSentToItAsAVirtualAddress(int tags) {
    XdpPort port = steered(pair.left, 1);
    XdpPort wire = everything(pair.right, 1);
    long own = port.traits().mac().value();
    ByteBuf[] both = {
      IpFrames.packet(own, tags, "192.0.2.10", "127.0.0.1", TCP),
      IpFrames.packet(own, tags, "203.0.113.65", "127.0.0.1", UDP),
      IpFrames.packet(own, tags, "2001:db8::10", "::1", TCP),
    };
    ByteBuf[] hosts = {
      IpFrames.packet(own, tags, "192.0.2.11", "127.0.0.1", TCP),
      IpFrames.packet(own, tags, "198.51.100.7", "127.0.0.1", TCP),
      IpFrames.packet(own, tags, "2001:db8::11", "::1", UDP),
    };
    for (ByteBuf frame : both) {
      assertThat(Bpf.run(port.program(), ByteBufUtil.getBytes(frame))).isEqualTo(SteeringProgram.PASS);
    }
    transmit(wire.queue(0), both);
    transmit(wire.queue(0), hosts);
    assertThat(receiveAll(port.queue(0))).containsExactlyInAnyOrderElementsOf(dumps(both));
  }

  /** To an address that is not the balancer's alone; ICMPv6 is negative. */
  private static ByteBuf icmp(int tags, int type) {
    return type < 0
        ? IpFrames.packet(FOREIGN, tags, "2001:db8:9::1", "2001:db8::11", 58).setByte(14 + 4 * tags + 40, -type)
        : IpFrames.packet(FOREIGN, tags, "203.0.113.1", "192.0.2.11", 1).setByte(14 + 4 * tags + 20, type);
  }

  /** Packet sockets get their copy before rules at ingress, and the program takes its frames before both. */
  @Test
  void shouldReceiveArpAndNeighbourDiscoveryBehindAShield() {
    assumeTrue(VethPair.run("nft", "--version").status() == 0, "the program 'nft' is missing");
    List<IpPrefix> own = List.of(IpPrefix.of("192.0.2.10/32"), IpPrefix.of("2001:db8::10/128"));
    try (KernelShield shield = KernelShield.raise(List.of(pair.left), BalancerAddresses.of(own))) {
      XdpPort port = steered(pair.left, 1);
      XdpPort wire = everything(pair.right, 1);
      ByteBuf arp = IpFrames.arpRequest("192.0.2.10");
      ByteBuf solicitation = IpFrames.solicitation("2001:db8::10");
      ByteBuf frame = IpFrames.packet(FOREIGN, 0, "203.0.113.1", "192.0.2.10", TCP);
      transmit(wire.queue(0), arp, solicitation, frame);
      assertThat(receiveAll(port.queue(0))).containsExactlyInAnyOrderElementsOf(dumps(arp, solicitation, frame));
      assertThat(shield.kept()).as("the kernel would have had them but for the shield").isEqualTo(2);
    }
  }
}

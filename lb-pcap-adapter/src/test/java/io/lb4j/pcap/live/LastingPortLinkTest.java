package io.lb4j.pcap.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.VethPair;
import io.lb4j.pcap.packet.PacketPort;
import io.lb4j.port.LastingPort;
import io.lb4j.port.PortException;
import io.lb4j.port.PortStatus;
import io.lb4j.port.SteeredPrefixes;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Interfaces that are removed and made again under their port, over each way of exchanging frames. */
@Tag("root")
@Timeout(60)
class LastingPortLinkTest extends LivePortFixture {
  private static final IpPrefix VIP = IpPrefix.of("192.0.2.10/32");
  private static final int IPV4 = 0x0800;
  private static final int LENGTH = 64;

  private PacketPort peer;

  /** An IPv4 packet to the virtual address that both an XDP program and a device's filter of addresses let in. */
  private ByteBuf packet(MacAddress to) {
    ByteBuf frame = frame(0, LENGTH);
    for (int i = 0; i < 6; i++) {
      frame.setByte(i, (int) (to.value() >> 40 - 8 * i));
    }
    return frame.setShort(12, IPV4).setByte(14, 0x45).setShort(16, LENGTH - 14).setInt(30, (int) VIP.address().low());
  }

  private void assertExchanges(LastingPort port, MacAddress mac) {
    assertThat(peer.queue(0).transmit(packet(mac), 0, LENGTH, FrameMarks.NONE)).isTrue();
    assertThat(peer.queue(0).flush()).isZero();
    receiveViews(port, 1, view -> assertThat(view.buffer().getUnsignedShort(view.start() + 12)).isEqualTo(IPV4));
    assertThat(send(port, 7, LENGTH)).isZero();
    assertThat(receive(peer, 1)).containsExactly(7);
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  @ParameterizedTest
  @EnumSource(value = LiveIo.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
  void shouldGoOnOverAnInterfaceThatIsThereAgain(LiveIo io) throws Exception {
    LivePorts way = LivePorts.of(pair.left).io(io);
    LastingPort port =
        closedAfterwards(new LastingPort(LivePorts.openAll(List.of(way)).get(0).port(), () -> way.open().port()));
    port.steer(new SteeredPrefixes(List.of(VIP), List.of()));
    MacAddress mac = port.traits().mac();
    peer = PacketPort.open(pair.right);
    assertExchanges(port, mac);
    peer.close();
    long descriptors = 0;
    for (int round = 1; round <= 3; round++) {
      VethPair.must("ip", "link", "del", pair.left);
      awaitStatus(port, PortStatus.GONE);
      assertThatThrownBy(port::renew)
          .isInstanceOfSatisfying(
              PortException.class, e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND));
      assertThat(receiveNow(port)).isZero();
      assertThat(handOver(port, 1, LENGTH)).isFalse();
      pair.make();
      assertThat(port.renew()).isTrue();
      assertThat(port.status()).isEqualTo(PortStatus.UP);
      peer = PacketPort.open(pair.right);
      assertExchanges(port, mac);
      peer.close();
      assertThat(port.counters().transmittedFrames()).isEqualTo(round + 1);
      assertThat(port.counters().refusedFrames()).isEqualTo(round);
      descriptors = round == 1 ? descriptors() : descriptors;
    }
    assertThat(descriptors()).as("open descriptors").isEqualTo(descriptors);
  }
}

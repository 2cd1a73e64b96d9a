package io.lb4j.pcap.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.VethPair;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.pcap.xdp.XdpMemory;
import io.lb4j.pcap.xdp.XdpPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortException;
import io.lb4j.port.PortStatus;
import io.lb4j.port.SteeredPort;
import io.lb4j.port.SteeredPrefixes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which way an interface is opened. Needs root. */
@Tag("root")
class LivePortsTest {
  private VethPair pair;

  @BeforeEach
  void up() {
    pair = VethPair.create();
  }

  @AfterEach
  void down() {
    if (pair != null) {
      pair.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"AUTO, PACKET, true, carries offloads", "PACKET, PACKET, true, as configured",
      "PCAP, PCAP, false, as configured"})
  void shouldOpenTheWayThatIsAskedFor(LiveIo asked, LiveIo opened, boolean carriesOffloads, String why) {
    LivePort live = LivePorts.of(pair.left).io(asked).open();
    try (var port = live.port()) {
      assertThat(live.io()).isEqualTo(opened);
      assertThat(live.choice()).startsWith(pair.left + ": io " + opened.name().toLowerCase(java.util.Locale.ROOT))
          .contains(why);
      assertThat(port.traits().carriesGso()).isEqualTo(carriesOffloads);
      assertThat(live.warnings().isEmpty()).isEqualTo(carriesOffloads);
    }
    assertThat(live.port().status()).isEqualTo(PortStatus.CLOSED);
  }

  @Test
  void shouldOpenXdpWhenAskedForAndSteerItBehindHiddenAddresses() {
    MacAddress mac = MacAddress.of("02:00:00:00:77:06");
    IpPrefix vip = IpPrefix.of("192.0.2.10/32");
    LivePort live = LivePorts.of(pair.left).io(LiveIo.XDP).mac(mac).hide(List.of(vip)).open();
    try (var port = live.port()) {
      assertThat(live.io()).isEqualTo(LiveIo.XDP);
      assertThat(port.traits().mac()).isEqualTo(mac);
      assertThat(port.traits().carriesGso()).isFalse();
      ((SteeredPort) port).steer(new SteeredPrefixes(List.of(vip), List.of()));
    }
    assertThatThrownBy(() -> LivePorts.of(pair.left).io(LiveIo.XDP).queues(64).open())
        .isInstanceOf(PortException.class)
        .hasMessageContaining("receive queues, not 64");
  }

  @Test
  void shouldShareTheMemoryOfXdpPortsThatAreOpenedTogether() {
    List<LivePort> live =
        LivePorts.openAll(List.of(LivePorts.of(pair.left).io(LiveIo.XDP), LivePorts.of(pair.right).io(LiveIo.XDP)));
    assertThat(live).extracting(LivePort::io).containsOnly(LiveIo.XDP);
    try (var left = live.get(0).port(); var right = live.get(1).port()) {
      assertThat(bufferOfAFrame(left, right)).isSameAs(bufferOfAFrame(right, left));
    }
  }

  @Test
  void shouldOpenAPortAnewInTheMemoryThatOthersHave() {
    XdpMemory memory = XdpMemory.sharedBy(List.of(XdpPort.builder(pair.left), XdpPort.builder(pair.right)));
    LivePorts leftOptions = LivePorts.of(pair.left).io(LiveIo.XDP).memory(memory);
    List<LivePort> live =
        LivePorts.openAll(List.of(leftOptions, LivePorts.of(pair.right).io(LiveIo.XDP).memory(memory)));
    live.get(0).port().close();
    try (var left = leftOptions.open().port(); var right = live.get(1).port()) {
      assertThat(bufferOfAFrame(left, right)).isSameAs(bufferOfAFrame(right, left));
    }
  }

  private static ByteBuf bufferOfAFrame(Port from, Port to) {
    FrameBatch batch = new FrameBatch();
    ByteBuf arp = Unpooled.buffer().writeInt(-1).writeShort(-1).writeLong(0).setShort(12, 0x0806).writeZero(60);
    assertThat(from.queue(0).transmit(arp, 0, 60, FrameMarks.NONE)).isTrue();
    assertThat(from.queue(0).flush()).isZero();
    to.queue(0).await(2_000_000_000L);
    assertThat(to.queue(0).receive(batch, 0)).isOne();
    to.queue(0).release();
    return batch.get(0).buffer();
  }

  @Test
  void shouldCloseWhatItOpenedWhenOneOfSeveralCannotBe() {
    assertThatThrownBy(
            () -> LivePorts.openAll(
                List.of(LivePorts.of(pair.left).io(LiveIo.XDP), LivePorts.of(pair.right).io(LiveIo.XDP).queues(64))))
        .isInstanceOf(PortException.class)
        .hasMessageContaining("receive queues, not 64");
    LivePorts.of(pair.left).io(LiveIo.XDP).open().port().close();
    assertThatThrownBy(
            () -> LivePorts.openAll(List.of(LivePorts.of(pair.left).io(LiveIo.XDP), LivePorts.of("lb4j-none").io(LiveIo.XDP))))
        .isInstanceOfSatisfying(
            PortException.class, e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND));
  }

  @ParameterizedTest
  @CsvSource({
    "AUTO, 0, false, ''",
    "LOW, 131072, false, ''",
    "BULK, 4194304, true, ''",
    "LOW, 8388608, false, bufferSize 8388608 becomes room for 2048 frames",
    "BULK, 300000, true, bufferSize 300000 becomes room for 128 frames",
  })
  void shouldSayWhatXdpMakesOfLatencyAndBufferSize(Latency latency, int bytes, boolean bulk, String room) {
    LivePort live = LivePorts.of(pair.left).io(LiveIo.XDP).latency(latency).bufferSize(bytes).open();
    live.port().close();
    assertThat(live.choice().contains("latency bulk changes nothing, each frame is handed over at once")).isEqualTo(bulk);
    assertThat(live.choice()).contains(room);
    assertThat(live.choice().contains("bufferSize")).isEqualTo(!room.isEmpty());
  }

  @Test
  void shouldSayWhyNotXdpUnlessAskedFor() {
    LivePort live = LivePorts.of(pair.left).open();
    live.port().close();
    assertThat(live.choice()).contains("xdp takes frames away from the kernel");
  }

  @Test
  void shouldDivideFramesOverQueues() {
    LivePort live = LivePorts.of(pair.left).queues(3).bufferSize(1 << 20).open();
    try (var port = live.port()) {
      assertThat(port.queues()).isEqualTo(3);
    }
    assertThatThrownBy(() -> LivePorts.of(pair.left).io(LiveIo.PCAP).queues(2).open())
        .isInstanceOf(PortException.class)
        .hasMessageContaining("one queue");
  }

  /** The same for all ways, so nothing else is tried. */
  @Test
  void shouldSayThatThereIsNoSuchInterface() {
    assertThatThrownBy(() -> LivePorts.of("lb4j-none").open())
        .isInstanceOfSatisfying(
            PortException.class, e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND))
        .hasMessageNotContaining("nor pcap");
  }

  @Test
  void shouldHideWhatTheHostHasOfTheBalancers() {
    VethPair.must("ip", "addr", "add", "192.0.2.5/24", "dev", pair.left);
    VethPair.must("ip", "addr", "add", "192.0.2.10/32", "dev", pair.left);
    MacAddress mac = MacAddress.of("02:00:00:00:77:05");
    LivePort live = LivePorts.of(pair.left).mac(mac).hide(List.of(IpPrefix.of("192.0.2.8/29"))).open();
    try (var port = live.port()) {
      assertThat(port.traits().addresses()).extracting(held -> held.address().toString()).containsExactly("192.0.2.5");
      assertThat(port.traits().mac()).isEqualTo(mac);
      assertThat(port.traits().carriesGso()).isTrue();
      assertThat(port.name()).isEqualTo(pair.left);
      assertThat(port.queue(0)).isNotNull();
      assertThat(port.status()).isEqualTo(PortStatus.UP);
    }
  }
}

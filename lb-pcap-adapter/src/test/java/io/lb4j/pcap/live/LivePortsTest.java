package io.lb4j.pcap.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.pcap.VethPair;
import io.lb4j.port.PortException;
import io.lb4j.port.PortStatus;
import io.lb4j.port.SteeredPort;
import io.lb4j.port.SteeredPrefixes;
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

package io.lb4j.pcap.xdp;

import static io.lb4j.pcap.VethPair.must;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.VethPair;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.live.LivePort;
import io.lb4j.pcap.live.LivePorts;
import io.lb4j.port.PortException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Offloads, MTU, and a driver that cannot run the program: what is said when a port is opened. */
@Tag("root")
class XdpPortDeviceTest extends LivePortFixture {
  @BeforeEach
  void needEthtool() {
    assumeTrue(VethPair.run("ethtool", "--version").status() == 0, "ethtool is not installed");
  }

  private XdpPort open(XdpPort.Builder options) {
    return closedAfterwards(options.ringSize(64).open());
  }

  private List<String> warnings(boolean generic) {
    XdpPort port = open(XdpPort.builder(pair.left).generic(generic));
    port.close();
    return port.warnings();
  }

  @Test
  void shouldNameTheCommandThatHasTheOtherEndFinishChecksums() {
    assertThat(warnings(false)).hasSize(1);
    assertThat(warnings(false).get(0))
        .startsWith(pair.left + ": its other end " + pair.right)
        .contains("with unfinished checksums, and")
        .endsWith("remedy: ethtool -K " + pair.right + " tx off");
    must("ethtool", "-K", pair.right, "tx", "off");
    assertThat(warnings(false)).isEmpty();
  }

  @Test
  void shouldNameTheCommandsThatKeepFramesShortForTheKernelsStack() {
    must("ethtool", "-K", pair.left, "gro", "off", "lro", "off");
    assertThat(warnings(true)).hasSize(1);
    assertThat(warnings(true).get(0))
        .contains("with unfinished checksums or longer than the MTU")
        .endsWith("remedy: ethtool -K " + pair.right + " tx off tso off gso off");
    must("ethtool", "-K", pair.right, "tx", "off", "tso", "off", "gso", "off");
    assertThat(warnings(true)).isEmpty();
    must("ethtool", "-K", pair.left, "gro", "on");
    assertThat(warnings(true)).hasSize(1);
    assertThat(warnings(true).get(0)).endsWith("remedy: ethtool -K " + pair.left + " gro off lro off");
    assertThat(warnings(false)).as("a driver that runs the program merges nothing").isEmpty();
  }

  /** Another interface here has the index that the other end has where it is. */
  @Test
  void shouldSayWhereTheOtherEndIsWhenItCannotBeAsked() throws Exception {
    must("ip", "netns", "add", pair.right);
    try {
      String own = Files.readString(Path.of("/sys/class/net", pair.left, "ifindex")).strip();
      String end = "lbtpeer";
      must("ip", "link", "del", pair.left);
      must("ip", "link", "add", pair.left, "index", own, "type", "veth",
          "peer", "name", end, "index", own, "netns", pair.right);
      must("ip", "-n", pair.right, "link", "set", end, "up");
      must("ip", "link", "set", pair.left, "up");
      assertThat(warnings(false)).singleElement().asString()
          .endsWith("remedy, in the network namespace where that is: ethtool -K DEVICE tx off");
    } finally {
      must("ip", "netns", "del", pair.right);
    }
  }

  @Test
  void shouldSayWhenTheKernelsStackRunsTheProgram() {
    must("ip", "link", "set", pair.right, "mtu", "3800");
    must("ip", "link", "set", pair.left, "mtu", "3800");
    XdpPort left = open(XdpPort.builder(pair.left).everything(true));
    XdpPort right = open(XdpPort.builder(pair.right).everything(true));
    assertThat(left.isNative()).isFalse();
    assertThat(left.warnings().get(0))
        .startsWith(pair.left + ": the driver cannot run XDP programs")
        .contains("slower", "an MTU too large for it: 3800");
    assertThat(send(right, 1, 3814)).isZero();
    assertThat(receiveHex(left, 1).get(0)).hasSize(2 * 3814);
  }

  @ParameterizedTest
  @ValueSource(ints = {3819, 9000})
  void shouldRefuseAnMtuThatDoesNotFitIntoAPageAndLeaveItToOtherPorts(int mtu) {
    must("ip", "link", "set", pair.left, "mtu", Integer.toString(mtu));
    assertThatThrownBy(() -> open(XdpPort.builder(pair.left)))
        .isInstanceOfSatisfying(
            PortException.class, e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_SUPPORTED))
        .hasMessageContaining("an MTU of " + mtu + " is too large for io xdp")
        .hasMessageContaining("io packet, or ip link set " + pair.left + " mtu 3818");
    LivePort live = LivePorts.of(pair.left).open();
    live.port().close();
    assertThat(live.io()).isEqualTo(LiveIo.PACKET);
  }
}

package io.lb4j.pcap.xdp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpPrefix;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.VethPair;
import io.lb4j.port.PortException;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.SteeredPrefixes;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The program on its device, and interfaces that change. */
@Tag("root")
class XdpPortLinkTest extends LivePortFixture {
  private XdpPort open(XdpPort.Builder options) {
    return closedAfterwards(options.ringSize(256).everything(true).open());
  }

  private static String link(String device) {
    return VethPair.must("ip", "link", "show", "dev", device);
  }

  @Test
  void shouldDetachWhenClosed() {
    XdpPort port = open(XdpPort.builder(pair.left));
    assertThat(port.isNative()).isTrue();
    assertThat(port.isZeroCopy()).isFalse();
    assertThat(link(pair.left)).contains("xdp");
    port.close();
    assertThat(link(pair.left)).doesNotContain("xdp");
  }

  @Test
  void shouldLeaveNothingBehindWhenKilled() throws Exception {
    String java = System.getProperty("java.home") + "/bin/java";
    Process process =
        new ProcessBuilder(
                java, "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                XdpOpenProbe.class.getName(), "64", "60000", pair.left)
            .redirectErrorStream(true)
            .start();
    try {
      assertThat(process.inputReader().lines().anyMatch("open"::equals)).isTrue();
      assertThat(link(pair.left)).contains("xdp");
    } finally {
      process.destroyForcibly();
      assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(link(pair.left)).doesNotContain("xdp");
    open(XdpPort.builder(pair.left));
  }

  @Test
  void shouldStayGoneWhenTheInterfaceComesBackFromAnotherNamespace() {
    XdpPort port = open(XdpPort.builder(pair.left));
    pair.moveAwayAndBack();
    assertThat(port.status()).isEqualTo(PortStatus.GONE);
    port.close();
    assertThat(open(XdpPort.builder(pair.left)).status()).isEqualTo(PortStatus.UP);
  }

  @Test
  void shouldSayThatTheDeviceIsTakenOrDownOrMissing() {
    open(XdpPort.builder(pair.left));
    assertThatThrownBy(() -> open(XdpPort.builder(pair.left)))
        .isInstanceOf(PortException.class)
        .hasMessageContaining("another AF_XDP socket has this queue");
    VethPair.must("ip", "link", "set", pair.right, "down");
    assertThatThrownBy(() -> open(XdpPort.builder(pair.right)))
        .isInstanceOfSatisfying(PortException.class, e -> assertThat(e.reason()).isEqualTo(PortException.Cause.DOWN));
    assertThatThrownBy(() -> open(XdpPort.builder("lb4jnone")))
        .isInstanceOfSatisfying(
            PortException.class, e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND));
  }

  @Test
  void shouldRefuseWhileTheInterfaceIsDownAndGoOnAfterwards() throws Exception {
    XdpPort left = open(XdpPort.builder(pair.left));
    XdpPort right = open(XdpPort.builder(pair.right));
    for (int round = 1; round <= 3; round++) {
      VethPair.must("ip", "link", "set", pair.left, "down");
      awaitStatus(left, PortStatus.DOWN);
      assertWaitsWithoutSpinning(left, right);
      assertThat(send(left, 1, 64)).isEqualTo(1);
      assertThat(left.counters().refusedFrames()).isEqualTo(round);
      VethPair.must("ip", "link", "set", pair.left, "up");
      awaitStatus(left, PortStatus.UP);
      awaitStatus(right, PortStatus.UP);
      assertThat(send(left, 2, 64)).isZero();
      assertThat(receive(right, 1)).containsExactly(2);
      assertThat(send(right, 3, 64)).isZero();
      assertThat(receive(left, 1)).containsExactly(3);
    }
    assertThat(left.isNative()).isTrue();
  }

  @Test
  void shouldSayThatTheInterfaceIsGoneAndBeOpenedAnewWhenItIsBack() throws Exception {
    XdpPort left = open(XdpPort.builder(pair.left));
    XdpPort right = open(XdpPort.builder(pair.right));
    pair.replace();
    awaitStatus(left, PortStatus.GONE);
    assertWaitsWithoutSpinning(left, right);
    assertThat(send(left, 3, 64)).isEqualTo(1);
    assertThat(receiveNow(left)).isZero();
    assertThat(left.status()).as("another interface of that name").isEqualTo(PortStatus.GONE);
    XdpPort again = open(XdpPort.builder(pair.left)); // beside the old one, which nobody has closed yet
    XdpPort other = open(XdpPort.builder(pair.right));
    List.of(left, right).forEach(XdpPort::close);
    assertThat(send(other, 4, 64)).isZero();
    assertThat(receive(again, 1)).containsExactly(4);
  }

  private static void assertWaitsWithoutSpinning(XdpPort... ports) {
    PortQueue[] queues = {ports[0].queue(0), ports[1].queue(0)};
    for (PortQueue queue : queues) {
      queue.await(1); // takes the errors
    }
    long beganNs = System.nanoTime();
    for (int i = 0; i < 5; i++) {
      queues[0].await(20_000_000);
      queues[0].awaitAny(queues, 20_000_000);
    }
    assertThat(System.nanoTime() - beganNs).isGreaterThan(150_000_000L);
  }

  @Test
  void shouldLeaveTheHostItsOwnTraffic() {
    String space = pair.right;
    VethPair.must("ip", "netns", "add", space);
    try {
      VethPair.must("ip", "link", "set", pair.right, "netns", space);
      VethPair.must("ip", "-n", space, "addr", "add", "198.18.77.2/30", "dev", pair.right);
      VethPair.must("ip", "-n", space, "link", "set", pair.right, "up");
      VethPair.must("ip", "addr", "add", "198.18.77.1/30", "dev", pair.left);
      XdpPort port = closedAfterwards(XdpPort.builder(pair.left).ringSize(64).open());
      port.steer(new SteeredPrefixes(List.of(IpPrefix.of("192.0.2.10/32")), List.of(IpPrefix.of("198.18.77.0/30"))));
      VethPair.must("ip", "netns", "exec", space, "ping", "-c", "1", "-W", "2", "198.18.77.1");
      assertThat(receiveNow(port)).as("the port's copy of ARP").isPositive();
    } finally {
      VethPair.must("ip", "netns", "del", space);
    }
  }
}

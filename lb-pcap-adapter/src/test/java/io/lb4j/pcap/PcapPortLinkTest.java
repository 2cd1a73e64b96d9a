package io.lb4j.pcap;

import static io.lb4j.pcap.VethPair.must;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.MacAddress;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.live.LivePorts;
import io.lb4j.port.PortException;
import io.lb4j.port.PortStatus;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Interfaces that are missing, down, or removed; memberships; closing. */
@Tag("root")
@Timeout(60)
class PcapPortLinkTest extends PcapPortFixture {
  private static final MacAddress GROUP = MacAddress.of("33:33:ff:00:00:10");
  private static final MacAddress OTHER = MacAddress.of("02:00:5e:00:01:07");

  @Test
  void shouldSayThatThereIsNoSuchInterface() {
    String wide = "\u20ac".repeat(15); // 45 bytes
    for (String name : new String[] {"lbt-none", "", "a-name-that-is-much-too-long", "any", "a/b", wide}) {
      assertThatExceptionOfType(PortException.class)
          .isThrownBy(() -> PcapPort.open(name))
          .withMessageContaining("no interface '" + name + "'")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND));
    }
  }

  @Test
  void shouldSayWhichInterfaceAnotherNameMeans() {
    String other = pair.left + "x";
    must("ip", "link", "property", "add", "dev", pair.left, "altname", other);
    assertThatExceptionOfType(PortException.class)
        .isThrownBy(() -> PcapPort.open(other))
        .withMessage("'" + other + "' is another name of the interface " + pair.left + ": use " + pair.left)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND));
  }

  @Test
  void shouldSayThatATunnelIsNotEthernet() {
    String tunnel = pair.left + "t";
    must("ip", "tuntap", "add", "dev", tunnel, "mode", "tun");
    try {
      must("ip", "link", "set", "dev", tunnel, "up");
      for (LiveIo io : new LiveIo[] {LiveIo.AUTO, LiveIo.PACKET, LiveIo.PCAP, LiveIo.XDP}) {
        assertThatExceptionOfType(PortException.class)
            .isThrownBy(() -> closedAfterwards(LivePorts.of(tunnel).io(io).open().port()))
            .withMessageContaining(tunnel + " is no Ethernet interface (its ARPHRD type is 65534)")
            .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_SUPPORTED));
      }
    } finally {
      must("ip", "link", "del", tunnel);
    }
  }

  @Test
  void shouldSayThatTheInterfaceIsDown() {
    must("ip", "link", "set", "dev", pair.left, "down");
    assertThatExceptionOfType(PortException.class)
        .isThrownBy(() -> PcapPort.open(pair.left))
        .withMessage(
            "pcap_activate(" + pair.left + ") failed: That device is not up; the interface is down: ip link set dev "
                + pair.left + " up")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.DOWN));
  }

  @Test
  void shouldSayThatThereIsNoMemoryForTheRing() {
    PcapPort.Builder large = PcapPort.builder(pair.left).bufferSize(1 << 30);
    open(pair.left); // loads all classes
    assertThatExceptionOfType(PortException.class)
        .isThrownBy(() -> ResourceLimit.ADDRESS_SPACE.under(ResourceLimit.addressSpace() + (100 << 20), large::open))
        .withMessageContaining("Cannot allocate memory; the kernel has no memory for a ring of 1073741824 bytes: free memory")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.SYSTEM));
  }

  @Test
  void shouldSayWhatHelpsWhicheverDescriptorIsMissing() {
    PcapPort.Builder options = PcapPort.builder(pair.left);
    options.open().close(); // loads all classes
    int next = ResourceLimit.nextDescriptor();
    int refusals = 0;
    for (String said = "?"; !said.isEmpty(); refusals++) {
      said = ResourceLimit.DESCRIPTORS.under(next + refusals, () -> refusal(options));
      if (!said.isEmpty()) {
        assertThat(said).contains("Too many open files", "raise the limit: ulimit -n, or LimitNOFILE= (systemd)");
      }
    }
    assertThat(refusals).isGreaterThan(3);
  }

  private static String refusal(PcapPort.Builder options) {
    try {
      options.open().close();
      return "";
    } catch (PortException e) {
      return e.getMessage();
    }
  }

  @Test
  void shouldGoOnAfterTheInterfaceWasDown() throws Exception {
    PcapPort left = open(pair.left);
    PcapPort right = open(pair.right);
    for (int round = 0; round < 3; round++) {
      long refused = left.counters().refusedFrames();
      must("ip", "link", "set", "dev", pair.left, "down");
      awaitStatus(left, PortStatus.DOWN);
      long begin = System.nanoTime();
      for (int i = 0; i < 5; i++) {
        assertThat(receiveNow(left)).isZero();
      }
      assertThat(System.nanoTime() - begin).as("waiting does not spin").isGreaterThan(40_000_000L);
      handOver(left, 1, 64);
      handOver(left, 2, 64);
      assertThat(left.queue(0).flush()).isEqualTo(2);
      assertThat(left.counters().refusedFrames()).isEqualTo(refused + 2);
      awaitStatus(right, PortStatus.DOWN); // no carrier
      must("ip", "link", "set", "dev", pair.left, "up");
      awaitStatus(left, PortStatus.UP);
      awaitStatus(right, PortStatus.UP);
      assertThat(receiveNow(left)).isZero();
      assertThat(send(left, 3, 64)).isZero();
      assertThat(receive(right, 1)).containsExactly(3);
      assertThat(send(right, 4, 64)).isZero();
      assertThat(receive(left, 1)).containsExactly(4);
    }
  }

  @Test
  void shouldSendAtOnceAfterADownThatNobodyNoticed() throws Exception {
    PcapPort left = open(pair.left);
    PcapPort right = open(pair.right);
    must("ip", "link", "set", "dev", pair.left, "down");
    must("ip", "link", "set", "dev", pair.left, "up");
    awaitStatus(left, PortStatus.UP);
    assertThat(send(left, 5, 64)).as("the old error of the socket does not cost a frame").isZero();
    assertThat(receive(right, 1)).containsExactly(5);
    assertThat(send(right, 6, 64)).isZero();
    assertThat(receive(left, 1)).containsExactly(6);
  }

  @Test
  void shouldSayThatTheInterfaceIsGone() throws Exception {
    PcapPort left = open(pair.left);
    send(open(pair.right), 1, 64);
    receive(left, 1);
    must("ip", "link", "del", pair.left);
    awaitStatus(left, PortStatus.GONE);
    long begin = System.nanoTime();
    for (int i = 0; i < 10; i++) {
      assertThat(receiveNow(left)).isZero();
    }
    assertThat(System.nanoTime() - begin).as("waiting does not spin").isGreaterThan(50_000_000L);
    handOver(left, 1, 64);
    assertThat(left.queue(0).flush()).isOne();
    assertThat(left.counters().refusedFrames()).isOne();
    assertThat(left.counters().receivedFrames()).isOne();
    assertThatExceptionOfType(PortException.class)
        .isThrownBy(() -> left.join(GROUP))
        .withMessageContaining("PACKET_ADD_MEMBERSHIP")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND));
    must("ip", "link", "add", pair.left, "type", "veth", "peer", "name", pair.right);
    assertThat(left.status()).as("another interface of that name").isEqualTo(PortStatus.GONE);
    left.close();
    assertThat(left.status()).isEqualTo(PortStatus.CLOSED);
  }

  /** It keeps its index, but the kernel has taken it from the sockets. */
  @Test
  void shouldStayGoneWhenTheInterfaceComesBackFromAnotherNamespace() {
    PcapPort left = open(pair.left);
    pair.moveAwayAndBack();
    assertThat(left.status()).isEqualTo(PortStatus.GONE);
    assertThat(open(pair.left).status()).isEqualTo(PortStatus.UP);
  }

  @Test
  void shouldGoOnUnderANameThatTheInterfaceGotLater() throws Exception {
    PcapPort left = open(PcapPort.builder(pair.left).promiscuous(true));
    PcapPort right = open(pair.right);
    String renamed = pair.left + "r";
    must("ip", "link", "set", "dev", pair.left, "down");
    awaitStatus(left, PortStatus.DOWN);
    assertThat(receiveNow(left)).isZero();
    must("ip", "link", "set", "dev", pair.left, "name", renamed);
    try {
      must("ip", "link", "set", "dev", renamed, "up");
      awaitStatus(left, PortStatus.UP);
      awaitStatus(right, PortStatus.UP);
      assertThat(send(right, 1, 64)).isZero();
      assertThat(receive(left, 1)).containsExactly(1);
      assertThat(send(left, 2, 64)).isZero();
      assertThat(receive(right, 1)).containsExactly(2);
      assertThat(left.counters().missedFrames()).isZero();
    } finally {
      must("ip", "link", "set", "dev", renamed, "down");
      must("ip", "link", "set", "dev", renamed, "name", pair.left);
    }
  }

  @Test
  void shouldHoldMembershipsUntilClosed() {
    PcapPort left = open(pair.left);
    left.join(GROUP);
    left.join(GROUP);
    left.join(OTHER);
    left.join(left.traits().mac());
    left.join(MacAddress.BROADCAST);
    assertThat(groups()).contains(GROUP.toString());
    assertThat(unicasts()).contains(OTHER.toString());
    left.close();
    assertThat(groups()).doesNotContain(GROUP.toString());
    assertThat(unicasts()).doesNotContain(OTHER.toString());
  }

  @Test
  void shouldJoinTheAddressItIsGiven() {
    PcapPort left = open(PcapPort.builder(pair.left).mac(OTHER));
    assertThat(left.traits().mac()).isEqualTo(OTHER);
    assertThat(unicasts()).contains(OTHER.toString());
  }

  private String groups() {
    return must("ip", "maddr", "show", "dev", pair.left);
  }

  private String unicasts() {
    return must("bridge", "fdb", "show", "dev", pair.left);
  }

  @Test
  void shouldEndTheWaitOfAWorkerWhenClosed() throws Exception {
    PcapPort left = open(pair.left);
    Thread worker = new Thread(() -> left.queue(0).await(TimeUnit.SECONDS.toNanos(50)));
    worker.start();
    Thread.sleep(100);
    long begin = System.nanoTime();
    left.close();
    worker.join(5_000);
    assertThat(worker.isAlive()).isFalse();
    assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(5));
  }

  @Test
  void shouldBeClosedUnderAWorkerWithoutHarm() throws Exception {
    for (int round = 0; round < 30; round++) {
      PcapPort left = PcapPort.open(pair.left);
      Thread worker =
          new Thread(
              () -> {
                while (left.status() != PortStatus.CLOSED) {
                  receiveNow(left);
                  handOver(left, 1, 64);
                  left.queue(0).flush();
                  left.counters();
                }
              });
      worker.start();
      Thread.sleep(5);
      left.close();
      worker.join(5_000);
      assertThat(worker.isAlive()).isFalse();
    }
  }

  @Test
  void shouldNotLeakDescriptors() {
    long before = descriptors();
    for (int i = 0; i < 20; i++) {
      PcapPort.open(pair.left).close();
    }
    must("ip", "link", "set", "dev", pair.left, "down");
    for (int i = 0; i < 20; i++) {
      assertThatExceptionOfType(PortException.class).isThrownBy(() -> PcapPort.open(pair.left));
    }
    assertThat(descriptors()).isLessThan(before + 10);
  }

  private static long descriptors() {
    return java.util.Objects.requireNonNull(new java.io.File("/proc/self/fd").list()).length;
  }
}

package io.lb4j.pcap.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.address.IpPrefix;
import io.lb4j.pcap.VethPair;
import io.lb4j.port.PortException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shield as nftables has it. Needs root. */
@Tag("root")
class KernelShieldTest {
  private static final BalancerAddresses ADDRESSES =
      new BalancerAddresses(
          List.of(IpPrefix.of("192.0.2.10/32"), IpPrefix.of("2001:db8::10/128"), IpPrefix.of("2001:db8:0:1::/64")),
          List.of(IpPrefix.of("198.51.100.0/24"), IpPrefix.of("2001:db8:5::/64")),
          List.of(IpPrefix.of("198.51.100.7/32")));

  private VethPair pair;

  @BeforeEach
  void up() {
    assumeTrue(VethPair.run("nft", "--version").status() == 0, "the program 'nft' is missing");
    pair = VethPair.create();
  }

  @AfterEach
  void down() {
    if (pair != null) {
      pair.close();
    }
  }

  private static String tables() {
    return VethPair.must("nft", "list", "tables");
  }

  @Test
  void shouldStandUntilItIsClosed() {
    KernelShield shield = KernelShield.raise(List.of(pair.left, pair.right), ADDRESSES);
    try (shield) {
      assertThat(shield.table()).startsWith("lb4j_" + ProcessHandle.current().pid() + "_" + pair.left);
      String rules = VethPair.must("nft", "list", "table", "netdev", shield.table());
      assertThat(rules).contains("flags owner", "device \"" + pair.left + "\"", "device \"" + pair.right + "\"");
      assertThat(rules).contains("elements = { 192.0.2.10 }", "2001:db8:0:1::/64", "198.51.100.0/24", "2001:db8:5::/64");
      assertThat(shield.isUp()).isTrue();
      assertThat(shield.kept()).isZero();
    }
    assertThat(shield.isUp()).isFalse();
    assertThat(tables()).doesNotContain(shield.table());
    shield.close();
  }

  @Test
  void shouldCoverOtherAddresses() {
    try (KernelShield shield = KernelShield.raise(List.of(pair.left), ADDRESSES)) {
      shield.cover(BalancerAddresses.of(List.of(IpPrefix.of("192.0.2.11/32"), IpPrefix.of("2001:db8::11/128"))));
      String rules = VethPair.must("nft", "list", "table", "netdev", shield.table());
      assertThat(rules).contains("192.0.2.11", "2001:db8::11", "0x20010db8000000000000000000000011");
      assertThat(rules).doesNotContain("192.0.2.10 ", "198.51.100.0", "0x20010db8000000000000000000000010");
    }
  }

  @Test
  void shouldCoverAnInterfaceThatIsThereAgain() {
    try (KernelShield shield = KernelShield.raise(List.of(pair.left, pair.right), ADDRESSES)) {
      String before = VethPair.must("nft", "list", "table", "netdev", shield.table());
      VethPair.must("ip", "link", "del", pair.left);
      assertThatThrownBy(() -> shield.renew(pair.left))
          .isInstanceOfSatisfying(
              PortException.class, e -> assertThat(e.reason()).isEqualTo(PortException.Cause.NOT_FOUND));
      pair.make();
      for (int i = 0; i < 2; i++) {
        shield.renew(pair.left);
        shield.renew(pair.right);
        assertThat(VethPair.must("nft", "list", "table", "netdev", shield.table()).lines().sorted())
            .containsExactlyElementsOf(before.lines().sorted().toList());
      }
      assertThatThrownBy(() -> shield.renew("lo")).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void shouldBeRaisedAnewByAChangeAfterItsChildProcessWasEnded() throws Exception {
    try (KernelShield shield = KernelShield.raise(List.of(pair.left), ADDRESSES)) {
      ProcessHandle child = ProcessHandle.current().children()
          .filter(each -> each.info().command().orElse("").endsWith("/nft")).findFirst().orElseThrow();
      child.destroyForcibly();
      child.onExit().get(10, TimeUnit.SECONDS);
      while (shield.isUp()) {
        Thread.sleep(1);
      }
      assertThat(tables()).doesNotContain(shield.table());
      assertThat(shield.kept()).isZero();
      shield.cover(BalancerAddresses.of(List.of(IpPrefix.of("192.0.2.11/32"))));
      assertThat(shield.isUp()).isTrue();
      assertThat(VethPair.must("nft", "list", "table", "netdev", shield.table()))
          .contains("flags owner", "elements = { 192.0.2.11 }", "device \"" + pair.left + "\"");
    }
    assertThat(tables()).doesNotContain(pair.left);
  }

  @Test
  void shouldStandBesideAnother() {
    KernelShield first = KernelShield.raise(List.of(pair.left), ADDRESSES);
    try (KernelShield second = KernelShield.raise(List.of(pair.left), ADDRESSES)) {
      assertThat(tables()).contains(first.table(), second.table());
      assertThat(first.table()).isNotEqualTo(second.table());
      first.close();
      assertThat(tables().lines()).contains("table netdev " + second.table()).doesNotContain("table netdev " + first.table());
    }
  }

  @Test
  void shouldGiveAFileThatNftLoadsAndReplaces() throws Exception {
    Path file = Files.createTempFile("lb4j", ".nft");
    Files.writeString(file, KernelShield.text(List.of(pair.left), ADDRESSES));
    try {
      VethPair.must("nft", "-f", file.toString());
      String once = VethPair.must("nft", "list", "table", "netdev", "lb4j");
      VethPair.must("nft", "-f", file.toString());

      assertThat(once).contains("192.0.2.10", "hook ingress device \"" + pair.left + "\"");
      assertThat(VethPair.must("nft", "list", "table", "netdev", "lb4j")).as("loaded once more").isEqualTo(once);
    } finally {
      VethPair.must("nft", "delete", "table", "netdev", "lb4j");
      Files.delete(file);
    }
  }
}

package io.lb4j.pcap.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpPrefix;
import io.lb4j.port.PortException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShieldRulesTest {
  private static final BalancerAddresses ADDRESSES =
      new BalancerAddresses(
          List.of(IpPrefix.of("192.0.2.10/32"), IpPrefix.of("192.0.2.64/28"), IpPrefix.of("2001:db8::10/128"),
              IpPrefix.of("2001:db8:0:1::/64")),
          List.of(IpPrefix.of("198.51.100.0/24")),
          List.of());

  @Test
  void shouldHangOneChainAtEachInterface() {
    assertThat(KernelShield.text(List.of("eth0", "eth1.7"), ADDRESSES).lines())
        .contains(
            "add chain netdev lb4j in0 { type filter hook ingress device \"eth0\" priority -400; }",
            "add chain netdev lb4j in1 { type filter hook ingress device \"eth1.7\" priority -400; }");
  }

  @Test
  void shouldNameEachPrefixWhereItBelongs() {
    assertThat(KernelShield.text(List.of("eth0"), ADDRESSES).lines())
        .contains(
            "add element netdev lb4j own4 { 192.0.2.10, 192.0.2.64/28 }",
            "add element netdev lb4j own6 { 2001:db8::10, 2001:db8:0:1::/64 }",
            "add element netdev lb4j inside4 { 198.51.100.0/24 }",
            "add rule netdev lb4j solicitations @th,64,128 0x20010db8000000000000000000000010 counter drop",
            "add rule netdev lb4j solicitations @th,64,128 & 0xffffffffffffffff0000000000000000"
                + " == 0x20010db8000000010000000000000000 counter drop")
        .noneMatch(line -> line.startsWith("add element netdev lb4j routed"));
  }

  @Test
  void shouldRefuseANameThatIsNoInterfaces() {
    assertThatThrownBy(() -> KernelShield.text(List.of("eth0\"; flush ruleset"), ADDRESSES))
        .isInstanceOf(PortException.class);
  }

  @Test
  void shouldJoinWhatTwoConfigurationsHave() {
    BalancerAddresses both = ADDRESSES.and(BalancerAddresses.of(List.of(IpPrefix.of("203.0.113.1/32"))));
    assertThat(both.own()).hasSize(5);
    assertThat(both.inside()).isEqualTo(ADDRESSES.inside());
    assertThat(ADDRESSES.and(ADDRESSES)).isEqualTo(ADDRESSES);
  }
}

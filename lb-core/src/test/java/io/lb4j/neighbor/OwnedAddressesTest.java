package io.lb4j.neighbor;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.topology.Link;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OwnedAddressesTest {
  private final Lan lan = Lan.quiet();

  private static boolean isVip(OwnedAddresses owned, String text) {
    IpAddress address = IpAddress.of(text);
    return owned.isVip(address.isV6(), address.high(), address.low());
  }

  @ParameterizedTest
  @CsvSource({
    "192.0.2.10, true",
    "192.0.2.11, false",
    "203.0.113.128, true",
    "203.0.113.255, true",
    "203.0.113.127, false",
    "2001:db8:1::10, true",
    "2001:db8:1::11, false",
    "2001:db8:ffff::1, true",
    "2001:db8:fffe::1, false",
    "::c000:20a, false",
    "0.0.0.0, false",
    "::, false"
  })
  void shouldKnowVirtualAddresses(String address, boolean expected) {
    OwnedAddresses owned =
        lan.owned("192.0.2.10", "203.0.113.128/25", "2001:db8:1::10", "2001:db8:ffff::/48");
    assertThat(isVip(owned, address)).isEqualTo(expected);
  }

  @Test
  void shouldFindEachOfManyAddresses() {
    OwnedAddresses.Builder builder = OwnedAddresses.builder(lan.links);
    for (int i = 1; i <= 3000; i++) {
      builder.virtualAddress(IpPrefix.host(IpAddress.v4(0xC633_0000 + i)));
      builder.virtualAddress(IpPrefix.host(IpAddress.v6(0x2001_0DB8_0000_0000L, (long) i << 40)));
    }
    OwnedAddresses owned = builder.build();
    for (int i = 1; i <= 3000; i++) {
      assertThat(owned.isVip(false, 0, 0xC633_0000L + i)).isTrue();
      assertThat(owned.isVip(true, 0x2001_0DB8_0000_0000L, (long) i << 40)).isTrue();
      assertThat(owned.isVip(true, 0x2001_0DB8_0000_0001L, (long) i << 40)).isFalse();
      assertThat(owned.isVip(false, 0, 0xC634_0000L + i)).isFalse();
    }
  }

  @Test
  void shouldPutAVirtualAddressOnTheLinkOfItsSubnetElseOnAll() {
    OwnedAddresses owned = lan.owned("192.0.2.10", "198.51.100.10", "203.0.113.1");
    assertThat(owned.virtualAddresses(0))
        .extracting(IpPrefix::toString)
        .containsExactly("192.0.2.10/32", "203.0.113.1/32");
    assertThat(owned.virtualAddresses(1))
        .extracting(IpPrefix::toString)
        .containsExactly("198.51.100.10/32", "203.0.113.1/32");
  }

  @Test
  void shouldKnowInterfaceAddressesAndTheirLinks() {
    OwnedAddresses owned = lan.owned();
    assertThat(owned.interfaceOf(false, 0, 0xC000_0205L)).isZero();
    assertThat(owned.interfaceOf(false, 0, 0xC633_6405L)).isEqualTo(1);
    assertThat(owned.interfaceOf(true, 0x2001_0DB8_0001_0000L, 5)).isZero();
    assertThat(owned.interfaceOf(true, 0xFE80_0000_0000_0000L, 0x0000_00FF_FE00_0002L)).isEqualTo(1);
    assertThat(owned.interfaceOf(false, 0, 0xC000_0206L)).isEqualTo(-1);
  }

  @Test
  void shouldNameEachGroupOnce() {
    OwnedAddresses owned = lan.owned("2001:db8:1::80:8001", "2001:db8:1:0:1::80:8001", "2001:db8:1::ff", "192.0.2.10");
    assertThat(owned.groups(0))
        .containsExactly(MacAddress.of("33:33:ff:80:80:01"), MacAddress.of("33:33:ff:00:00:ff"));
    assertThat(owned.groups(1)).isEmpty();
  }

  @Test
  void shouldJoinItsOwnAddressesWhereNoHostDoes() {
    Link link =
        new Link(0, "eth0", Lan.OWN, 1500, List.of(InterfaceAddress.of("2001:db8:1::80:5/64")), false, true, true);
    assertThat(OwnedAddresses.builder(List.of(link)).build().groups(0))
        .containsExactly(MacAddress.of("33:33:ff:80:00:05"), MacAddress.of("33:33:ff:00:00:01"));
  }

  private static Link vlan(int index, String... addresses) {
    List<InterfaceAddress> own = List.of(addresses).stream().map(InterfaceAddress::of).toList();
    return new Link(index, "eth0." + index, Lan.OWN, 1500, own, false, true, true);
  }

  @Test
  void shouldAnswerForALinkLocalAddressOnEveryInterfaceThatHasIt() {
    List<Link> links = List.of(vlan(0, "2001:db8:1::5/64"), vlan(1, "2001:db8:2::5/64"), vlan(2, "fe80::7/64"));
    OwnedAddresses owned = OwnedAddresses.builder(links).build();
    IpAddress linkLocal = Lan.OWN.linkLocal();
    assertThat(owned.isAnsweredInterface(0, linkLocal)).isTrue();
    assertThat(owned.isAnsweredInterface(1, linkLocal)).isTrue();
    assertThat(owned.isAnsweredInterface(2, linkLocal)).as("has declared another").isFalse();
    assertThat(owned.isAnsweredInterface(2, IpAddress.of("fe80::7"))).isTrue();
    assertThat(owned.isAnsweredInterface(1, IpAddress.of("2001:db8:1::5"))).isFalse();
  }
}

package io.lb4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AccessListTest {
  private static boolean allows(AccessList list, String client) {
    IpAddress address = IpAddress.of(client);
    return list.allows(address.isV6(), address.high(), address.low());
  }

  private static List<IpPrefix> prefixes(String... texts) {
    return Stream.of(texts).map(IpPrefix::of).toList();
  }

  @Test
  void shouldAdmitEverybodyWithoutPrefixes() {
    assertThat(AccessList.EVERYBODY.isEmpty()).isTrue();
    assertThat(allows(AccessList.EVERYBODY, "0.0.0.0")).isTrue();
    assertThat(allows(AccessList.EVERYBODY, "255.255.255.255")).isTrue();
    assertThat(allows(AccessList.EVERYBODY, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).isTrue();
  }

  @Test
  void shouldLetTheLongestPrefixDecide() {
    AccessList list = AccessList.of(prefixes("198.51.100.128/25"), prefixes("198.51.100.0/24", "198.51.100.200"));
    assertThat(allows(list, "198.51.100.1")).isFalse();
    assertThat(allows(list, "198.51.100.129")).isTrue();
    assertThat(allows(list, "198.51.100.200")).isFalse();
    assertThat(allows(list, "203.0.113.1")).as("an allowed prefix denies the rest").isFalse();
  }

  @Test
  void shouldKnowTheEdgesOfTheAddressSpace() {
    AccessList list = AccessList.of(List.of(), prefixes("255.255.255.255", "0.0.0.0", "ffff::/16"));
    assertThat(allows(list, "255.255.255.255")).isFalse();
    assertThat(allows(list, "255.255.255.254")).isTrue();
    assertThat(allows(list, "0.0.0.1")).isTrue();
    assertThat(allows(list, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).isFalse();
    assertThat(allows(list, "fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).isTrue();
  }

  @Test
  void shouldRefuseAPrefixThatIsBothAllowedAndDenied() {
    assertThatThrownBy(() -> AccessList.of(prefixes("192.0.2.0/24"), prefixes("192.0.2.0/24")))
        .isInstanceOfSatisfying(
            ConfigurationException.class, e -> assertThat(e.error()).isEqualTo(ConfigurationError.CONTRADICTION));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAgreeWithAScanOfAllPrefixes(boolean v6) {
    Random random = new Random(6);
    for (int round = 0; round < 300; round++) {
      List<IpPrefix> allow = new ArrayList<>();
      List<IpPrefix> deny = new ArrayList<>();
      for (int i = random.nextInt(30); i > 0; i--) {
        IpPrefix prefix = IpPrefix.of(IpAddress.of(address(random, v6)), random.nextInt(v6 ? 129 : 33));
        if (!allow.contains(prefix) && !deny.contains(prefix)) {
          (random.nextBoolean() ? allow : deny).add(prefix);
        }
      }
      AccessList list = AccessList.of(allow, deny);
      for (int i = 0; i < 200; i++) {
        IpAddress client = IpAddress.of(address(random, v6));
        assertThat(allows(list, client.toString())).as("%s of %s", client, list).isEqualTo(oracle(allow, deny, client));
      }
    }
  }

  /** Lists of whole countries are that long. */
  @Test
  void shouldTakeManyPrefixesAtOnce() {
    List<IpPrefix> deny = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      deny.add(IpPrefix.of(IpAddress.v4(i << 9), 24)); // every other one
    }
    AccessList list = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> AccessList.of(List.of(), deny));
    for (int i = 0; i < 100_000; i++) {
      assertThat(list.allows(false, 0, (i << 9) + 255L)).isFalse();
      assertThat(list.allows(false, 0, (i << 9) + 256L)).isTrue();
    }
  }

  /** Few values per byte, so that prefixes nest and clients hit them. */
  private static String address(Random random, boolean v6) {
    String[] bytes = {"0", "1", "127", "128", "255"};
    String[] words = {"0", "1", "7fff", "8000", "fffe"}; // not ffff: an address may be IPv4's in IPv6 clothes
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < (v6 ? 8 : 4); i++) {
      text.append(i == 0 ? "" : v6 ? ":" : ".").append((v6 ? words : bytes)[random.nextInt(5)]);
    }
    return text.toString();
  }

  private static boolean oracle(List<IpPrefix> allow, List<IpPrefix> deny, IpAddress client) {
    int allowed = allow.stream().filter(p -> p.contains(client)).mapToInt(IpPrefix::length).max().orElse(-1);
    int denied = deny.stream().filter(p -> p.contains(client)).mapToInt(IpPrefix::length).max().orElse(-1);
    return allowed == denied ? allow.isEmpty() : allowed > denied;
  }
}

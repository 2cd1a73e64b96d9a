package io.lb4j.gateway.nat;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PortPoolTest {
  private static final int TCP = 0;
  private static final int UDP = 1;

  private final SplittableRandom random = new SplittableRandom(42);

  private static PortPool pool(int worker, int workers) {
    return new PortPool(IpAddress.of("198.51.100.60"), worker, workers);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 64})
  void shouldGiveEveryPortOnceAndThenNone(int workers) {
    BitSet given = new BitSet();
    for (int worker = 0; worker < workers; worker++) {
      PortPool pool = pool(worker, workers);
      int port = pool.take(UDP, 40_000, 1024, 65535, random);
      for (; port != PortPool.NONE; port = pool.take(UDP, 40_000, 1024, 65535, random)) {
        assertThat(given.get(port)).as("port %s given twice", port).isFalse();
        assertThat(PortPool.ownerOf(port, workers)).isEqualTo(worker);
        given.set(port);
      }
    }
    assertThat(given.cardinality()).isEqualTo(65536 - 1024);
    assertThat(given.nextSetBit(0)).isEqualTo(1024);
  }

  @Test
  void shouldKeepThePortItsClassAndItsParity() {
    PortPool pool = pool(0, 1);
    assertThat(pool.take(TCP, 5001, 1, 65535, random)).isEqualTo(5001);
    for (int i = 0; i < 1000; i++) {
      assertThat(pool.take(TCP, 5001, 1, 65535, random)).isOdd().isGreaterThanOrEqualTo(1024);
    }
    assertThat(pool.take(TCP, 22, 1, 65535, random)).isEqualTo(22);
    for (int i = 0; i < 500; i++) {
      assertThat(pool.take(TCP, 22, 1, 65535, random)).isEven().isLessThan(1024);
    }
  }

  /** Sixteen workers have 64 ports below 1024 each, and hosts that send from NTP's or IKE's are more. */
  @Test
  void shouldLeaveTheClassOfALowPortWhenItHasNoneLeft() {
    PortPool pool = pool(3, 16);
    for (int i = 0; i < 1000; i++) {
      int port = pool.take(UDP, 123, 1, 65535, random);
      assertThat(port).isPositive();
      assertThat(port < 1024).as("the lower ones first").isEqualTo(i < 64);
    }
  }

  /** A port below 1024 may mean a privileged program to whoever sees it. */
  @Test
  void shouldNotGiveALowPortForAHighOne() {
    PortPool pool = pool(0, 1);
    for (int i = 1024; i < 65536; i++) {
      assertThat(pool.take(UDP, i, 1, 65535, random)).isEqualTo(i);
    }
    assertThat(pool.take(UDP, 5000, 1, 65535, random)).isEqualTo(PortPool.NONE);
  }

  @Test
  void shouldKeepProtocolsApart() {
    PortPool pool = pool(0, 1);
    assertThat(pool.take(TCP, 5000, 1, 65535, random)).isEqualTo(5000);
    assertThat(pool.take(UDP, 5000, 1, 65535, random)).isEqualTo(5000);
    pool.release(TCP, 5000);
    assertThat(pool.take(TCP, 5000, 1, 65535, random)).isEqualTo(5000);
  }

  @Test
  void shouldUseBothParitiesOfASmallRange() {
    PortPool pool = pool(0, 1);
    BitSet given = new BitSet();
    for (int i = 0; i < 4; i++) {
      given.set(pool.take(UDP, 6000, 40_000, 40_003, random));
    }
    assertThat(given.cardinality()).isEqualTo(4);
    assertThat(pool.take(UDP, 6000, 40_000, 40_003, random)).isEqualTo(PortPool.NONE);
  }

  @Test
  void shouldNeverGiveAnExcludedPort() {
    PortPool pool = pool(0, 1);
    pool.exclude(TCP, 80);
    assertThat(pool.take(TCP, 80, 1, 65535, random)).isNotEqualTo(80).isEven().isLessThan(1024);
    assertThat(pool.take(TCP, 80, 80, 80, random)).isEqualTo(PortPool.NONE);
  }

  /** Randomness in the sense of RFC 6056: no half of the range is preferred. */
  @Test
  void shouldSpreadOverTheWholeRange() {
    PortPool pool = pool(0, 1);
    int lower = 0;
    for (int i = 0; i < 4000; i++) {
      pool.take(UDP, 2000, 2000, 2000, random); // the wanted one is gone
      int port = pool.take(UDP, 2000, 1024, 65535, random);
      lower += port < (1024 + 65535) / 2 ? 1 : 0;
    }
    assertThat(lower).isBetween(1800, 2200);
  }
}

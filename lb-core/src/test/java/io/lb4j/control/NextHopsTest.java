package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.neighbor.NeighborTable;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NextHopsTest {
  private static final long MILLISECOND_NS = 1_000_000L;

  private final NeighborTable table = new NeighborTable();
  private long adopted;
  private final NextHops nextHops = new NextHops(table, () -> adopted);
  private final int first = table.register(0, IpAddress.of("192.0.2.11"));
  private final int second = table.register(0, IpAddress.of("192.0.2.12"));

  @Test
  void shouldKeepWhatWorkersMayStillSendTo() {
    nextHops.settle(Set.of(first, second), 1);
    adopted = 1;
    nextHops.settle(Set.of(second), 2);
    assertThat(table.isCurrent(first)).isTrue();
    assertThat(nextHops.tick(0)).as("looks again soon").isEqualTo(100 * MILLISECOND_NS);
    assertThat(table.isCurrent(first)).isTrue();

    adopted = 2;
    assertThat(nextHops.tick(0)).isEqualTo(1_000 * MILLISECOND_NS);
    assertThat(table.isCurrent(first)).isFalse();
    assertThat(table.isCurrent(second)).isTrue();
  }

  @Test
  void shouldForgetWithALaterChangeWhereNobodyTicks() {
    nextHops.settle(Set.of(first, second), 1);
    nextHops.settle(Set.of(second), 2);
    adopted = 2;
    nextHops.settle(Set.of(second), 3);
    assertThat(table.isCurrent(first)).isFalse();
  }

  @Test
  void shouldKeepWhatCameBack() {
    nextHops.settle(Set.of(first, second), 1);
    nextHops.settle(Set.of(second), 2);
    nextHops.settle(Set.of(first, second), 3);
    adopted = 3;
    nextHops.tick(0);
    assertThat(table.isCurrent(first)).isTrue();
  }

  @Test
  void shouldKeepOfEachChangeWhatTheSlowestWorkerNeeds() {
    nextHops.settle(Set.of(first, second), 1);
    nextHops.settle(Set.of(second), 2);
    nextHops.settle(Set.of(), 3);
    adopted = 2;
    nextHops.tick(0);
    assertThat(table.isCurrent(first)).isFalse();
    assertThat(table.isCurrent(second)).isTrue();
    adopted = 3;
    nextHops.tick(0);
    assertThat(table.isCurrent(second)).isFalse();
  }

  @Test
  void shouldKeepTheFixedForGoodAndNoneOfARefusedChange() {
    nextHops.fix(first);
    nextHops.settle(Set.of(), 1);
    assertThat(table.isCurrent(first)).isTrue();
    assertThat(table.isCurrent(second)).as("registered by a change that was refused").isFalse();
  }
}

package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.Departed;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.neighbor.OwnedAddresses;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.topology.Topology;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RefusalEventsTest {
  private static final Topology TOPOLOGY = new Topology(List.of(), List.of());
  private static final ForwardingTable NOTHING =
      new ForwardingTable(
          1,
          TOPOLOGY,
          OwnedAddresses.builder(List.of()).build(),
          List.of(),
          List.of(),
          new Binding[1],
          new Departed[1],
          Optional.empty(),
          Optional.empty(),
          UnservedPolicy.values()[0],
          EchoPolicy.values()[0]);

  /** Control ticks with every probe that ends; a thousand servers' probes must not make it look at each server. */
  @Test
  void shouldLookOnceASecondHoweverOftenItIsTicked() {
    AtomicInteger looks = new AtomicInteger();
    RefusalEvents events =
        new RefusalEvents(
            TOPOLOGY,
            () -> {
              looks.incrementAndGet();
              return NOTHING;
            },
            binding -> HandshakeCounts.ZERO,
            event -> {});
    long startNs = Long.MAX_VALUE - 1_500_000_000L;
    for (int millis = 0; millis < 3000; millis++) {
      long nowNs = startNs + millis * 1_000_000L;
      assertThat(events.tick(nowNs) - nowNs).isBetween(1L, 1_000_000_000L);
    }
    assertThat(looks).hasValue(3);
  }
}

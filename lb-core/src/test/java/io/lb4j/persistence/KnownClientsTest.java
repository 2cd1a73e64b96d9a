package io.lb4j.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("memory")
class KnownClientsTest {
  private static final long SECOND_NS = 1_000_000_000L;
  private static final Duration TIMEOUT = Duration.ofSeconds(640);
  private static final long FRESH_NS = 10 * SECOND_NS;

  private final PersistenceTable table = table(PersistenceScope.SERVICE, 32);
  private final KnownClients known = new KnownClients(7);

  private static PersistenceTable table(PersistenceScope scope, int v4Length) {
    return new PersistenceTable(new SourceIpPersistence(TIMEOUT, v4Length, 128, 1_000_000, scope), 0);
  }

  private int find(long client, long nowNs) {
    return known.find(table, false, 0, client, 80, nowNs);
  }

  private void put(long client, int server, long nowNs) {
    known.put(table, false, 0, client, 80, inTable(client, nowNs), server, nowNs);
  }

  private int inTable(long client, long nowNs) {
    return table.findQuietly(false, 0, client, 80, nowNs);
  }

  @Test
  void shouldKnowNobodyAtFirst() {
    assertThat(find(1, 0)).isEqualTo(PersistenceTable.NONE);
  }

  @Test
  void shouldKeepClientsInTheTableToo() {
    put(1, 5, 0);
    assertThat(find(1, 1)).isEqualTo(5);
    assertThat(inTable(1, 1)).isEqualTo(5);
  }

  @Test
  void shouldRecordUsesInTheTableWhenTheLastIsNoLongerFresh() {
    put(1, 5, 0);
    assertThat(find(1, FRESH_NS - 1)).isEqualTo(5);
    assertThat(find(1, FRESH_NS)).isEqualTo(5); // asked for in the table, which restarts its time-out
    long end = FRESH_NS + TIMEOUT.toNanos();
    assertThat(inTable(1, end - 1)).isEqualTo(5);
    assertThat(inTable(1, end + 1)).isEqualTo(PersistenceTable.NONE);
  }

  @Test
  void shouldForgetWhomTheTableHasForgottenByTime() {
    put(1, 5, 0);
    assertThat(find(1, TIMEOUT.toNanos() + 1)).isEqualTo(PersistenceTable.NONE);
  }

  @Test
  void shouldForgetAtOnceWhomACommandHasForgotten() {
    put(1, 5, 0);
    table.forget(false, 0, 1, 80, 5);
    assertThat(find(1, 1)).isEqualTo(PersistenceTable.NONE);
    put(1, 5, 2);
    table.forgetServers(Set.of(5));
    assertThat(find(1, 3)).isEqualTo(PersistenceTable.NONE);
  }

  @Test
  void shouldFollowAnotherWorkersChangeOfServerAtOnce() {
    put(1, 5, 0);
    new KnownClients(8).put(table, false, 0, 1, 80, 5, 6, 1);
    assertThat(find(1, 2)).isEqualTo(6);
  }

  /** The client comes again by way of another worker, and gets another server: it must not have two. */
  @Test
  void shouldNotKnowWhomTheTableHasForgottenForWantOfRoom() {
    PersistenceTable small =
        new PersistenceTable(new SourceIpPersistence(TIMEOUT, 32, 128, 16, PersistenceScope.SERVICE), 0);
    KnownClients other = new KnownClients(8);
    int moved = 0;
    for (int client = 1; client <= 200; client++) {
      known.put(small, false, 0, client, 80, PersistenceTable.NONE, 5, 1);
    }
    for (int client = 1; client <= 200; client++) {
      if (small.findQuietly(false, 0, client, 80, 2) == PersistenceTable.NONE) {
        moved++;
        other.put(small, false, 0, client, 80, PersistenceTable.NONE, 6, 2);
        int inTable = small.findQuietly(false, 0, client, 80, 3);
        assertThat(known.find(small, false, 0, client, 80, 3)).isEqualTo(inTable).isNotEqualTo(5);
      }
    }
    assertThat(moved).isGreaterThanOrEqualTo(184);
  }

  @Test
  void shouldGiveWayToTheServerThatAnotherWorkerHasPutDownFirst() {
    assertThat(new KnownClients(8).put(table, false, 0, 1, 80, PersistenceTable.NONE, 6, 0)).isEqualTo(6);
    assertThat(known.put(table, false, 0, 1, 80, PersistenceTable.NONE, 5, 0)).isEqualTo(6);
    assertThat(find(1, 1)).isEqualTo(6);
    assertThat(known.put(table, false, 0, 1, 80, 6, 5, 2)).as("when it is known and cannot serve").isEqualTo(5);
    assertThat(inTable(1, 3)).isEqualTo(5);
  }

  @Test
  void shouldChangeAServerHere() {
    put(1, 5, 0);
    put(1, 6, 1);
    assertThat(find(1, 2)).isEqualTo(6);
    assertThat(inTable(1, 2)).isEqualTo(6);
  }

  @Test
  void shouldTakeNetworksAsOneClient() {
    PersistenceTable networks = table(PersistenceScope.SERVICE, 24);
    known.put(networks, false, 0, 0xC633_6401L, 80, PersistenceTable.NONE, 5, 0);
    assertThat(known.find(networks, false, 0, 0xC633_64FEL, 443, 1)).isEqualTo(5);
    assertThat(known.find(networks, false, 0, 0xC633_6501L, 80, 1)).isEqualTo(PersistenceTable.NONE);
  }

  @Test
  void shouldTellPortsApartWhereTheScopeDoes() {
    PersistenceTable ports = table(PersistenceScope.PORT, 32);
    known.put(ports, false, 0, 1, 80, PersistenceTable.NONE, 5, 0);
    assertThat(known.find(ports, false, 0, 1, 443, 1)).isEqualTo(PersistenceTable.NONE);
    assertThat(known.find(ports, false, 0, 1, 80, 1)).isEqualTo(5);
  }

  /** More clients than places, in two tables and both families: whoever answers, answers as the tables do. */
  @Test
  void shouldNeverTakeOneClientForAnother() {
    SplittableRandom random = new SplittableRandom(42);
    PersistenceTable other = table(PersistenceScope.SERVICE, 32);
    Map<Long, Integer> expected = new HashMap<>();
    for (int i = 0; i < 400_000; i++) {
      long client = random.nextInt(90_000);
      boolean second = random.nextBoolean();
      boolean v6 = random.nextBoolean();
      PersistenceTable asked = second ? other : table;
      long high = v6 ? 0x2001_0DB8_0000_0000L : 0;
      long key = client << 2 | (second ? 2 : 0) | (v6 ? 1 : 0);
      if (random.nextInt(3) == 0) {
        int server = 1 + random.nextInt(1000);
        int before = expected.getOrDefault(key, PersistenceTable.NONE);
        known.put(asked, v6, high, client, 80, before, server, i);
        expected.put(key, server);
      } else {
        int server = expected.getOrDefault(key, PersistenceTable.NONE);
        assertThat(known.find(asked, v6, high, client, 80, i)).isEqualTo(server);
      }
    }
  }
}

package io.lb4j.gateway.nat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.flow.FlowHash;
import io.lb4j.wire.IpProtocol;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A table of more than 2 GiB, whose offsets an {@code int} does not hold. Memory like that needs java.lang.foreign. */
@Tag("one-jdk")
class LargeSessionTableTest {
  private static final int SLOTS = 28_000_000;
  private static final long BYTES_OF_AN_ENTRY = 80;
  private static final long BYTES = SLOTS * BYTES_OF_AN_ENTRY;
  private static final int SESSIONS = 20_000;

  private static Tuple tuple(int number) {
    Tuple tuple = new Tuple();
    tuple.v6 = true;
    tuple.protocol = IpProtocol.TCP;
    tuple.setSource(0x2001_0DB8_0000_0000L, number / 1_000, 1_024 + number % 1_000);
    tuple.setDestination(0x2001_0DB8_0000_0000L, 0x100, 80);
    return tuple;
  }

  private static Tuple becomes(int number) {
    Tuple becomes = tuple(number);
    becomes.setDestination(0x2001_0DB8_0005_0000L, number, 8080);
    return becomes;
  }

  @Test
  void shouldKeepSessionsOnBothSidesOfTwoGibibytes() {
    assumeTrue(Runtime.getRuntime().maxMemory() > BYTES, "direct memory is limited to less than " + BYTES + " bytes");
    SessionTable table = new SessionTable(true, SLOTS, new FlowHash(1));
    int[] slots = new int[SESSIONS];
    int beyond = 0;
    for (int n = 0; n < SESSIONS; n++) {
      slots[n] = table.insert(tuple(n), becomes(n), Word.of(Word.SESSION, SessionTable.code(IpProtocol.TCP), 0, 0, n));
      beyond += slots[n] * BYTES_OF_AN_ENTRY > Integer.MAX_VALUE ? 1 : 0;
    }
    assertThat(beyond).as("a twenty-fifth of the table is beyond").isBetween(SESSIONS / 50, SESSIONS / 12);
    for (int n = 0; n < SESSIONS; n++) {
      assertThat(table.find(tuple(n))).isEqualTo(slots[n]);
      assertThat(Word.binding(table.word(slots[n]))).isEqualTo(n);
      assertThat(table.becomes(slots[n], new Tuple()).destinationLow).isEqualTo(n);
    }
    for (int n = 0; n < SESSIONS; n += 2) {
      table.remove(table.find(tuple(n)));
    }
    for (int n = 0; n < SESSIONS; n++) {
      assertThat(table.find(tuple(n)) == SessionTable.MISS).isEqualTo(n % 2 == 0);
    }
    assertThat(table.used()).isEqualTo(SESSIONS / 2);
  }
}

package io.lb4j.neighbor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NeighborTableTest {
  private static final IpAddress A4 = IpAddress.of("192.0.2.21");
  private static final IpAddress A6 = IpAddress.of("2001:db8::21");
  private static final MacAddress MAC = MacAddress.of("fe:ff:ff:ff:ff:ff");

  private final NeighborTable table = new NeighborTable();

  @Test
  void shouldAnswerTheSameIdForTheSameNextHop() {
    int id = table.register(0, A4);
    assertThat(id).isNotNegative();
    assertThat(table.register(0, A4)).isEqualTo(id);
    assertThat(table.register(1, A4)).isNotEqualTo(id);
    assertThat(table.register(0, A6)).isNotEqualTo(id);
    assertThat(table.size()).isEqualTo(3);
  }

  @Test
  void shouldBeUnresolvedUntilAMacAddressIsKnown() {
    int id = table.register(0, A4);
    assertThat(table.mac(id)).isEqualTo(NeighborTable.UNRESOLVED);
    assertThat(table.state(id)).isEqualTo(NeighborState.INCOMPLETE);
  }

  @Test
  void shouldKeepStaticMacAddressesWhateverTheNetworkSays() {
    int id = table.register(0, A4);
    table.setStatic(id, MAC);
    assertThat(table.mac(id)).isEqualTo(0xFEFF_FFFF_FFFFL);
    assertThat(table.state(id)).isEqualTo(NeighborState.STATIC);
    assertThat(table.update(table.neighbor(id), NeighborState.REACHABLE, 2)).isFalse();
    assertThat(table.mac(id)).isEqualTo(MAC.value());
  }

  @Test
  void shouldRefuseStaticMacAddressesThatNoHostHas() {
    int id = table.register(0, A4);
    assertThatThrownBy(() -> table.setStatic(id, MacAddress.BROADCAST)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> table.setStatic(id, MacAddress.of(0))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldForgetWhatIsNotRetained() {
    int gone = table.register(0, A4);
    int kept = table.register(0, A6);
    table.setStatic(gone, MAC);
    table.setStatic(kept, MAC);
    table.retain(Set.of(kept));
    assertThat(table.mac(gone)).isEqualTo(NeighborTable.UNRESOLVED);
    assertThat(table.state(gone)).isEqualTo(NeighborState.FAILED);
    assertThat(table.mac(kept)).isEqualTo(MAC.value());
    assertThat(table.find(0, A4)).isNull();
    assertThat(table.size()).isEqualTo(1);
  }

  @Test
  void shouldNotGiveAnOldIdTheMacAddressOfTheNextHopThatCameAfter() {
    int before = table.register(0, A4);
    table.unregister(before);
    int after = table.register(0, A6);
    table.setStatic(after, MAC);
    assertThat(after).isNotEqualTo(before);
    assertThat(table.mac(before)).isEqualTo(NeighborTable.UNRESOLVED);
    assertThat(table.mac(after)).isEqualTo(MAC.value());
    table.unregister(before);
    assertThat(table.mac(after)).isEqualTo(MAC.value());
  }

  @Test
  void shouldUseSlotsAgainWithoutGrowing() {
    for (int i = 0; i < 100_000; i++) {
      int id = table.register(0, IpAddress.v4(i + 1));
      assertThat(id & 0xF_FFFF).isZero();
      assertThat(id).isNotNegative();
      table.unregister(id);
    }
  }

  @Test
  void shouldGrowAndKeepWhatItHolds() {
    int[] ids = new int[1000];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = table.register(0, IpAddress.v4(i + 1));
      table.setStatic(ids[i], MacAddress.of(0x0200_0000_0000L + i));
    }
    for (int i = 0; i < ids.length; i++) {
      assertThat(table.mac(ids[i])).isEqualTo(0x0200_0000_0000L + i);
    }
  }

  @Test
  void shouldReadIdsThatNeverWereAsFailed() {
    for (int id : new int[] {0, 17, 1 << 20, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
      assertThat(table.mac(id)).isEqualTo(NeighborTable.UNRESOLVED);
      assertThat(table.state(id)).isEqualTo(NeighborState.FAILED);
      table.unregister(id);
      table.setStatic(id, MAC);
    }
    assertThat(table.size()).isZero();
  }

  @Test
  void shouldChangeItsVersionWithEveryMacAddress() {
    int id = table.register(0, A4);
    long start = table.version();
    table.update(table.neighbor(id), NeighborState.REACHABLE, 2);
    long appeared = table.version();
    table.update(table.neighbor(id), NeighborState.PROBE, 2);
    assertThat(table.version()).isEqualTo(appeared).isNotEqualTo(start);
    table.update(table.neighbor(id), NeighborState.STALE, 4);
    long changed = table.version();
    table.update(table.neighbor(id), NeighborState.FAILED, 0);
    assertThat(changed).isNotEqualTo(appeared);
    assertThat(table.version()).isNotEqualTo(changed);
    assertThat(table.mac(id)).isEqualTo(NeighborTable.UNRESOLVED);
  }

  @Test
  void shouldShowReadersOnlyWhatWasWrittenForTheirId() throws InterruptedException {
    AtomicInteger published = new AtomicInteger(-1);
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong wrong = new AtomicLong();
    Thread reader =
        new Thread(
            () -> {
              while (!stop.get()) {
                int id = published.get();
                long mac = table.mac(id);
                wrong.addAndGet(mac == NeighborTable.UNRESOLVED || mac == 0x0200_0000_0000L + id ? 0 : 1);
              }
            });
    reader.start();
    for (int i = 1; i <= 20_000; i++) {
      int id = table.register(0, IpAddress.v4(i));
      published.set(id);
      table.setStatic(id, MacAddress.of(0x0200_0000_0000L + id));
      if (i % 16 != 0) {
        table.unregister(id);
      }
    }
    stop.set(true);
    reader.join();
    assertThat(wrong).hasValue(0);
  }

  private int answered(IpAddress address) {
    int id = table.registerOnDemand(0, address);
    table.update(table.neighbor(id), NeighborState.REACHABLE, MAC.value());
    return id;
  }

  @Test
  void shouldKeepHostsThatAnsweredWhileStrangersMakeUpAddresses() {
    int[] hosts = new int[2000];
    for (int i = 0; i < hosts.length; i++) {
      hosts[i] = answered(IpAddress.v6(1, i));
    }
    for (int i = 0; i < 50_000; i++) {
      table.registerOnDemand(0, IpAddress.v6(2, i));
    }
    assertThat(IntStream.of(hosts)).allMatch(table::isCurrent);
    assertThat(table.size()).isEqualTo(NeighborTable.MAXIMUM_ON_DEMAND);
  }

  @Test
  void shouldCountAHostThatIsLostAmongThoseThatDoNotAnswer() {
    int lost = answered(A6);
    table.update(table.neighbor(lost), NeighborState.FAILED, 0);
    for (int i = 0; i < 2 * NeighborTable.MAXIMUM_ON_DEMAND; i++) {
      table.registerOnDemand(0, IpAddress.v6(2, i));
    }
    assertThat(table.isCurrent(lost)).isFalse();
  }

  /** In a network with more hosts than there is room for, a new one has to live until it can have answered. */
  @Test
  void shouldGiveUpTheOldestWhileMostAnswer() {
    int oldest = answered(IpAddress.v6(1, 0));
    for (int i = 1; i < NeighborTable.MAXIMUM_ON_DEMAND; i++) {
      answered(IpAddress.v6(1, i));
    }
    int[] fresh = new int[100];
    for (int i = 0; i < fresh.length; i++) {
      fresh[i] = table.registerOnDemand(0, IpAddress.v6(3, i));
    }
    assertThat(IntStream.of(fresh)).allMatch(table::isCurrent);
    assertThat(table.isCurrent(oldest)).isFalse();
  }

  @Test
  void shouldNotGiveUpANextHopOfControlsThatTrafficAskedForFirst() {
    int id = table.registerOnDemand(0, A6);
    assertThat(table.register(0, A6)).isEqualTo(id);
    table.update(table.neighbor(id), NeighborState.INCOMPLETE, 0);
    for (int i = 0; i < 2 * NeighborTable.MAXIMUM_ON_DEMAND; i++) {
      table.registerOnDemand(0, IpAddress.v6(2, i));
    }
    assertThat(table.isCurrent(id)).isTrue();
  }

  /** Addresses of one /64 whose plain hashes are all equal, as a sender can choose his sources. */
  @Test
  void shouldSpreadHostsWhateverTheirAddresses() {
    Set<Integer> plain = new HashSet<>();
    Set<Integer> keyed = new HashSet<>();
    for (int i = 0; i < 4096; i++) {
      long network = 0x2001_0DB8_0000_0000L;
      IpAddress address = IpAddress.v6(network, ((long) i << 32 | i) - network * 31);
      plain.add(address.hashCode());
      keyed.add(NeighborTable.hash(0, address));
    }
    assertThat(plain).hasSize(1);
    assertThat(keyed).hasSizeGreaterThan(4000);
  }
}

package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What libpcap's counts add up to. */
class DropCountTest {
  private final DropCount drops = new DropCount();

  private long missed(long dropped, long byInterface) {
    drops.update((int) dropped, (int) byInterface);
    return drops.missed();
  }

  @Test
  void shouldAddUpBeyondWhatThe32BitsHold() {
    assertThat(missed(0xFFFF_FFF0L, 3)).isEqualTo(0xFFFF_FFF3L);
    assertThat(missed(0x10, 3)).isEqualTo(0x1_0000_0013L);
  }

  @Test
  void shouldNotCountWhatAnInterfaceDroppedBeforeWhenItIsRemovedOrRenamed() {
    assertThat(missed(5, 0)).isEqualTo(5);
    assertThat(missed(5, 2)).isEqualTo(7);
    assertThat(missed(6, 2 - 1_002)).as("1,000 of them before opening; no file of that name").isEqualTo(8);
    assertThat(missed(6, 2 - 1_002)).isEqualTo(8);
    assertThat(missed(6, 3)).as("its name again").isEqualTo(9);
  }
}

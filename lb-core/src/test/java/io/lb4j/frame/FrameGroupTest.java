package io.lb4j.frame;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FrameGroupTest {
  private final FrameView[] batch = new FrameBatch().views();
  private final FrameGroup group = new FrameGroup();

  private List<FrameView> members() {
    List<FrameView> members = new ArrayList<>();
    for (int i = 0; i < FrameBatch.CAPACITY; i++) {
      if ((group.frames() >>> i & 1) != 0) {
        members.add(group.views()[i]);
      }
    }
    return members;
  }

  @Test
  void shouldPutFramesSideBySideInTheirOrder() {
    Random random = new Random(11);
    for (int i = 0; i < 1_000; i++) {
      int set = random.nextInt() & random.nextInt();
      List<FrameView> wanted = new ArrayList<>();
      for (int place = 0; place < FrameBatch.CAPACITY; place++) {
        if ((set >>> place & 1) != 0) {
          wanted.add(batch[place]);
        }
      }

      group.gather(batch, set);

      assertThat(members()).containsExactlyElementsOf(wanted);
      assertThat(Integer.toBinaryString(group.frames())).as("one run").matches("1*0*");
      assertThat(group.inBatch(group.frames())).isEqualTo(set);
      int some = group.frames() & random.nextInt();
      for (int rest = some; rest != 0; rest &= rest - 1) {
        FrameView member = group.views()[Integer.numberOfTrailingZeros(rest)];
        int place = Integer.numberOfTrailingZeros(group.inBatch(rest & -rest));
        assertThat(batch[place]).isSameAs(member);
      }
      assertThat(Integer.bitCount(group.inBatch(some))).isEqualTo(Integer.bitCount(some));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0b1110, 1 << 31, -1, -1 << 7, Integer.MAX_VALUE})
  void shouldLeaveNeighboursWhereTheyAre(int set) {
    group.gather(batch, 0b101); // something else before
    group.gather(batch, set);

    assertThat(group.views()).isSameAs(batch);
    assertThat(group.frames()).isEqualTo(set);
    assertThat(group.inBatch(set)).isEqualTo(set);
  }

  @Test
  void shouldTakeFramesWithoutChangingTheBatch() {
    FrameView[] before = Arrays.copyOf(batch, batch.length);

    group.gather(batch, 0x5555_5555);

    assertThat(batch).containsExactly(before);
    assertThat(members()).hasSize(16);
  }
}

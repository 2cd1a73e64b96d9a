package io.lb4j.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.wire.DirectMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FrameOrderTest {
  private static final int LOOK_EVERY = 16;

  private final FrameOrder order = new FrameOrder();
  private final FrameBatch batch = new FrameBatch();
  private final List<ByteBuf> frames = new ArrayList<>();

  @BeforeEach
  void needsAddresses() {
    assumeTrue(DirectMemory.AVAILABLE, "memory is not reached by address here");
  }

  @AfterEach
  void release() {
    frames.forEach(ByteBuf::release);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void shouldPutKindsTogetherAndKeepTheirOrder(int seed) {
    Random random = new Random(seed);
    int count = 2 + random.nextInt(FrameBatch.CAPACITY - 1);
    add(false, false, 0);
    add(true, true, 1);
    while (batch.size() < count) {
      add(random.nextBoolean(), random.nextBoolean(), random.nextInt(2));
    }

    FrameView[] ordered = Arrays.copyOf(order.of(batch.views(), count), count);

    assertThat(ordered).containsExactlyInAnyOrder(Arrays.copyOf(batch.views(), count));
    for (int i = 0; i < count; i++) {
      assertThat(batch.views()[Integer.numberOfTrailingZeros(order.inBatch(1 << i))]).isSameAs(ordered[i]);
    }
    assertThat(order.inBatch(-1 >>> 32 - count)).isEqualTo(-1 >>> 32 - count);
    List<String> runs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String kind = kind(ordered[i]);
      if (i == 0 || !kind.equals(kind(ordered[i - 1]))) {
        assertThat(runs).as("kinds that are over").doesNotContain(kind);
        runs.add(kind);
      } else {
        assertThat(ordered[i].tag()).as("order within " + kind).isGreaterThan(ordered[i - 1].tag());
      }
    }
  }

  @Test
  void shouldTakeFramesOfOneKindAsTheyAreWhicheverTheirInterfaces() {
    for (int i = 0; i < FrameBatch.CAPACITY; i++) {
      add(true, false, i % 3);
    }

    assertThat(order.of(batch.views(), batch.size())).isSameAs(batch.views());
    assertThat(order.inBatch(0b1010)).isEqualTo(0b1010);
  }

  @Test
  void shouldLookAgainSomeBatchesAfterOneOfOneKind() {
    add(false, false, 0);
    assertThat(order.of(batch.views(), 1)).isSameAs(batch.views());

    add(true, true, 0);
    add(false, false, 0);
    for (int i = 1; i < LOOK_EVERY; i++) {
      assertThat(order.of(batch.views(), 3)).as("batch " + i).isSameAs(batch.views());
    }
    for (int i = 0; i < 2 * LOOK_EVERY; i++) {
      assertThat(order.of(batch.views(), 3)).as("mixed batch " + i).isNotSameAs(batch.views());
    }
  }

  /** What is too short to be of a kind, and what no address leads to, is put beside the others and read by nobody. */
  @Test
  void shouldKeepFramesThatCannotBeLookedInto() {
    add(false, true, 0);
    for (int length = 0; length < 24; length++) {
      add(Unpooled.directBuffer(24).writeZero(length), 0);
    }
    add(Unpooled.buffer(64).writeZero(64), 0);

    FrameView[] ordered = order.of(batch.views(), batch.size());

    assertThat(Arrays.copyOf(ordered, batch.size()))
        .containsExactlyInAnyOrder(Arrays.copyOf(batch.views(), batch.size()));
  }

  private void add(boolean v6, boolean udp, int link) {
    ByteBuf frame = v6 ? RawFrames.ipv6(udp ? 17 : 6, payload(udp)) : RawFrames.ipv4(udp ? 17 : 6, payload(udp));
    add(Unpooled.directBuffer(frame.readableBytes()).writeBytes(frame), link);
  }

  private static byte[] payload(boolean udp) {
    return udp ? RawFrames.udp(12) : RawFrames.tcpHeader(0);
  }

  private void add(ByteBuf frame, int link) {
    frames.add(frame);
    batch.add(frame, 0, frame.readableBytes(), FrameMarks.NONE, link);
    batch.get(batch.size() - 1).setTag(batch.size());
  }

  private static String kind(FrameView view) {
    FrameParser.parse(view);
    return (view.isV6() ? "IPv6 " : "IPv4 ") + view.protocol() + " from " + view.ingress();
  }
}

package io.lb4j.flow;

import static io.lb4j.flow.FlowLayout.BUCKET_SHIFT;
import static io.lb4j.flow.FlowLayout.WORDS;
import static io.lb4j.flow.FlowLayout.ageOf;
import static io.lb4j.flow.FlowLayout.bindingAt;
import static io.lb4j.flow.FlowLayout.stateOf;

import io.lb4j.wire.OffHeap;

/**
 * Which flow gives way to a new one that finds no room: of those near the new one's home the expired, then the
 * half-open, the ended, and the one that was silent longest, as far as the policy lets them. Owned by one worker.
 */
final class FlowEviction {
  /** Victims are looked for in so many buckets behind a flow's home. */
  private static final int WINDOW = 8;

  private final FlowTableOverflow overflow;
  private final FlowListener listener;

  FlowEviction(FlowTableOverflow overflow, FlowListener listener) {
    this.overflow = overflow;
    this.listener = listener;
  }

  /** The slot of the flow to end; negative when the policy lets none near a new flow's home give way. */
  int victim(OffHeap memory, int buckets, int slots, int home, int tick, boolean onlyEmbryonic) {
    int victim = -1;
    int victimRank = Integer.MIN_VALUE;
    int bucket = home;
    for (int probes = 0; probes < WINDOW && probes < buckets; probes++) {
      int at = (bucket << BUCKET_SHIFT) + WORDS;
      for (int slot = at; slot < at + (slots << 2); slot += 4) {
        int rank = rank(memory, slot, tick, onlyEmbryonic);
        if (rank > victimRank) {
          victim = slot;
          victimRank = rank;
        }
      }
      bucket = bucket + 1 == buckets ? 0 : bucket + 1;
    }
    return victimRank < 0 ? -1 : victim;
  }

  /** Who gives way first: the expired, the half-open, the ended, then the silent; negative: never. */
  private int rank(OffHeap memory, int slot, int tick, boolean onlyEmbryonic) {
    int word = memory.getInt(slot);
    if (word == 0) {
      return Integer.MIN_VALUE;
    }
    FlowState state = stateOf(word);
    int age = ageOf(word, tick);
    boolean expired = age > listener.timeoutTicks(bindingAt(memory, slot), state);
    if (onlyEmbryonic) {
      return state.isEmbryonic() ? age : -1;
    }
    if (expired) {
      return 3 << 16 | age;
    }
    if (overflow == FlowTableOverflow.REJECT) {
      return -1;
    }
    if (state.isEmbryonic()) {
      return 2 << 16 | age;
    }
    if (state.isClosing()) {
      return 1 << 16 | age;
    }
    return overflow == FlowTableOverflow.EVICT_OLDEST ? age : -1;
  }
}

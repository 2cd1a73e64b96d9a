package io.lb4j.flow;

import static io.lb4j.flow.FlowLayout.BUCKET_SHIFT;
import static io.lb4j.flow.FlowLayout.SLOTS;
import static io.lb4j.flow.FlowLayout.V4_PROBES;
import static io.lb4j.flow.FlowLayout.V6_HANDLE;
import static io.lb4j.flow.FlowLayout.V6_PROBES;
import static io.lb4j.flow.FlowLayout.WORDS;
import static io.lb4j.flow.FlowLayout.ageOf;
import static io.lb4j.flow.FlowLayout.bindingAt;
import static io.lb4j.flow.FlowLayout.home;
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
  private int victim; // the best of those looked at
  private int victimRank;

  FlowEviction(FlowTableOverflow overflow, FlowListener listener) {
    this.overflow = overflow;
    this.listener = listener;
  }

  /**
   * The half-open flow of the new one's family to end; {@link FlowBuckets#MISS} where there is none. If there is none
   * in the window, the first one behind it, as far as a flow may be from its home: at the limit there is one in nearly
   * three IPv4 buckets, six IPv6 buckets, so that this ends soon and as good as never in vain.
   */
  int halfOpen(FlowBuckets table, boolean six, int flowHash, int tick) {
    victim = FlowBuckets.MISS;
    victimRank = -1;
    look(table, six, flowHash, tick, true);
    return victim;
  }

  /**
   * The flow to end; {@link FlowBuckets#MISS} when the policy lets none near the new one's home give way. Where it is
   * the capacity that is used up, which both families share, one of the other family makes room as well.
   */
  int any(FlowBuckets table, boolean six, int flowHash, int tick, boolean isFull) {
    victim = FlowBuckets.MISS;
    victimRank = -1;
    look(table, six, flowHash, tick, false);
    if (isFull) {
      look(table, !six, flowHash, tick, false);
    }
    return victim;
  }

  private void look(FlowBuckets table, boolean six, int flowHash, int tick, boolean onlyEmbryonic) {
    OffHeap memory = six ? table.v6 : table.v4;
    int buckets = six ? table.v6Buckets : table.v4Buckets;
    int slots = six ? 1 : SLOTS;
    int probeLimit = six ? V6_PROBES : V4_PROBES;
    int most = Math.min(buckets, onlyEmbryonic ? probeLimit : WINDOW);
    int bucket = home(flowHash, buckets);
    for (int probes = 0; probes < most && (probes < WINDOW || victimRank < 0); probes++) {
      int at = (bucket << BUCKET_SHIFT) + WORDS;
      for (int slot = at; slot < at + (slots << 2); slot += 4) {
        int rank = rank(memory, slot, tick, onlyEmbryonic);
        if (rank > victimRank) {
          victim = slot >> 2 | (six ? V6_HANDLE : 0);
          victimRank = rank;
        }
      }
      bucket = bucket + 1 == buckets ? 0 : bucket + 1;
    }
  }

  /** Who gives way first: the expired, the half-open, the ended, then the silent; negative: never. */
  private int rank(OffHeap memory, int slot, int tick, boolean onlyEmbryonic) {
    int word = memory.getInt(slot);
    if (word == 0) {
      return -1;
    }
    FlowState state = stateOf(word);
    int age = ageOf(word, tick);
    if (onlyEmbryonic) {
      return state.isEmbryonic() ? age : -1;
    }
    boolean expired = age > listener.timeoutTicks(bindingAt(memory, slot), state);
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

package io.lb4j.flow;

import static io.lb4j.flow.FlowLayout.BUCKET_SHIFT;
import static io.lb4j.flow.FlowLayout.TICK_SHIFT;
import static io.lb4j.flow.FlowLayout.V6_HANDLE;
import static io.lb4j.flow.FlowLayout.WORDS;
import static io.lb4j.flow.FlowLayout.ageOf;
import static io.lb4j.flow.FlowLayout.bindingAt;
import static io.lb4j.flow.FlowLayout.stateOf;

import io.lb4j.wire.OffHeap;

/**
 * Walks through a table's buckets in bounded steps, ends flows that were silent for longer than their time-out, and
 * reports those that live. Owned by one worker.
 */
final class FlowSweep {
  private static final long LARGE_JUMP_TICKS = 1 << 11;

  private final FlowTable table;
  private final FlowListener listener;
  private long sweptTick;
  private int cursor;
  private int touched; // written only, so that the load is kept

  FlowSweep(FlowTable table, FlowListener listener, long nowNs) {
    this.table = table;
    this.listener = listener;
    this.sweptTick = nowNs >> TICK_SHIFT;
  }

  /** As {@link FlowTable#catchUp}. */
  void catchUp(long nowNs) {
    if ((nowNs >> TICK_SHIFT) - sweptTick > LARGE_JUMP_TICKS) {
      run(nowNs, 0);
    }
  }

  /** As {@link FlowTable#sweep}. */
  boolean run(long nowNs, int budget) {
    long now = nowNs >> TICK_SHIFT;
    long jump = now - sweptTick;
    sweptTick = now;
    if (table.size() == 0) {
      cursor = 0;
      return true;
    }
    if (jump > LARGE_JUMP_TICKS) {
      long further = jump - LARGE_JUMP_TICKS; // until then ticks tell ages, of what came after the last sweep too
      for (int bucket = 0; bucket < table.buckets(); bucket++) {
        visit(bucket, (int) (now - further), further);
      }
      return true;
    }
    int end = Math.min(table.buckets(), cursor + budget);
    for (int bucket = cursor; bucket < end; bucket++) {
      visit(bucket, (int) now, 0);
    }
    cursor = end == table.buckets() ? 0 : end;
    touched = touch(cursor);
    return cursor == 0;
  }

  /** Asks for the bucket that is next, so that nothing has to wait for it then. */
  private int touch(int bucket) {
    boolean six = bucket >= table.v4Buckets;
    return six ? table.v6.getInt(bucket - table.v4Buckets << BUCKET_SHIFT) : table.v4.getInt(bucket << BUCKET_SHIFT);
  }

  private void visit(int bucket, int tick, long further) {
    if (bucket < table.v4Buckets) {
      int at = (bucket << BUCKET_SHIFT) + WORDS;
      visitSlot(table.v4, at, 0, tick, further);
      visitSlot(table.v4, at + 4, 0, tick, further);
      visitSlot(table.v4, at + 8, 0, tick, further);
    } else {
      visitSlot(table.v6, (bucket - table.v4Buckets << BUCKET_SHIFT) + WORDS, V6_HANDLE, tick, further);
    }
  }

  private void visitSlot(OffHeap memory, int slot, int family, int tick, long further) {
    int word = memory.getInt(slot);
    if (word == 0) {
      return;
    }
    if (isOver(bindingAt(memory, slot), word, ageOf(word, tick) + further)) {
      table.end(slot >> 2 | family, FlowListener.End.EXPIRED);
    } else {
      listener.onAlive(table, slot >> 2 | family);
    }
  }

  /** Asks for a time-out, which is several cache lines away, only where it can matter. */
  private boolean isOver(int binding, int word, long age) {
    boolean fresh = age <= FlowTable.FRESH_TICKS && listener.isKnown(binding);
    return !fresh && age > listener.timeoutTicks(binding, stateOf(word));
  }
}

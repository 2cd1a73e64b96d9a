package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * One of a socket's four rings, in memory shared with the kernel. One side produces: it writes entries, then its index
 * with release; the other reads that index with acquire, then the entries, and hands them back by its own index. Owned
 * by one half of a queue.
 */
final class XdpRing {
  private static final VarHandle INDEX = ValueLayout.JAVA_INT.varHandle();
  private static final int NEED_WAKEUP = 1;

  private final long mapping;
  private final long mappingSize;
  private final long producer; // addresses
  private final long consumer;
  private final long flags;
  private final long entries;
  private final int mask;
  private int ours; // our index, whether we produce or consume
  private int theirs; // the kernel's, as we know it

  XdpRing(long mapping, long mappingSize, long producer, long consumer, long flags, long entries, int size) {
    this.mapping = mapping;
    this.mappingSize = mappingSize;
    this.producer = mapping + producer;
    this.consumer = mapping + consumer;
    this.flags = mapping + flags;
    this.entries = mapping + entries;
    this.mask = size - 1;
  }

  private static int getAcquire(long address) {
    return (int) INDEX.getAcquire(Native.MEMORY, address);
  }

  private static void setRelease(long address, int value) {
    INDEX.setRelease(Native.MEMORY, address, value);
  }

  // for a ring that the kernel fills

  /** Entries that wait, up to as many as wanted. */
  int available(int wanted) {
    int count = theirs - ours;
    if (count < wanted) {
      theirs = getAcquire(producer);
      count = theirs - ours;
    }
    return Math.min(count, wanted);
  }

  /** Whether one waits; does not change anything. */
  boolean isEmpty() {
    return getAcquire(producer) == ours;
  }

  /** Hands back entries from the front. */
  void consumed(int count) {
    ours += count;
    setRelease(consumer, ours);
  }

  // for a ring that we fill

  /** Entries that we may write, at least as many as wanted if there are. */
  int room(int wanted) {
    int count = mask + 1 - (ours - theirs);
    if (count < wanted) {
      theirs = getAcquire(consumer);
      count = mask + 1 - (ours - theirs);
    }
    return count;
  }

  /** Entries that we wrote and the kernel has not taken. */
  int pending() {
    theirs = getAcquire(consumer);
    return ours - theirs;
  }

  /** Hands over entries that were written from the front. */
  void produced(int count) {
    ours += count;
    setRelease(producer, ours);
  }

  boolean needsWakeup() {
    return (Native.MEMORY.get(Native.INT, flags) & NEED_WAKEUP) != 0;
  }

  // entries, counted from our index

  long number(int i) {
    return Native.MEMORY.get(Native.LONG, entries + ((long) (ours + i & mask) << 3));
  }

  void setNumber(int i, long value) {
    Native.MEMORY.set(Native.LONG, entries + ((long) (ours + i & mask) << 3), value);
  }

  private long descriptor(int i) {
    return entries + ((long) (ours + i & mask) << 4);
  }

  long offset(int i) {
    return Native.MEMORY.get(Native.LONG, descriptor(i));
  }

  int length(int i) {
    return Native.MEMORY.get(Native.INT, descriptor(i) + 8);
  }

  void setDescriptor(int i, long offset, int length) {
    long descriptor = descriptor(i);
    Native.MEMORY.set(Native.LONG, descriptor, offset);
    Native.MEMORY.set(Native.LONG, descriptor + 8, length); // and no options
  }

  void unmap() {
    Libc.munmap(mapping, mappingSize);
  }
}

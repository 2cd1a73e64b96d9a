package io.lb4j.dataplane;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The probes in flight, each by a number of its own, which is its port and its echo identifier. Changes are guarded by
 * the lock of {@link FrameProbes}; whether there are any, and which has a number, any thread may ask without it.
 */
final class ProbeTable {
  static final int CAPACITY = 4096;

  private static final int FIRST = 49_152; // the dynamic ports (RFC 6335)
  private static final int NUMBERS = 16_384;
  private static final VarHandle SIZE;

  static {
    try {
      SIZE = MethodHandles.lookup().findVarHandle(ProbeTable.class, "size", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final AtomicReferenceArray<Probe> byNumber = new AtomicReferenceArray<>(NUMBERS);
  private final SplittableRandom random;
  private int size;

  ProbeTable(SplittableRandom random) {
    this.random = random;
  }

  boolean isEmpty() {
    return (int) SIZE.getOpaque(this) == 0;
  }

  /** The probe with a number, or null. */
  @Nullable Probe find(int number) {
    int index = number - FIRST;
    return index < 0 || index >= NUMBERS ? null : byNumber.getAcquire(index);
  }

  boolean contains(Probe probe) {
    return find(probe.number) == probe;
  }

  /** Adds a probe with a free number; null when the table is full. */
  @Nullable Probe add(IntFunction<Probe> maker) {
    if (size == CAPACITY) {
      return null;
    }
    int index = random.nextInt(NUMBERS);
    while (byNumber.getPlain(index) != null) {
      index = (index + 1) % NUMBERS;
    }
    Probe probe = maker.apply(FIRST + index);
    SIZE.setOpaque(this, size + 1);
    byNumber.setRelease(index, probe);
    return probe;
  }

  void remove(Probe probe) {
    byNumber.setRelease(probe.number - FIRST, null);
    SIZE.setOpaque(this, size - 1);
  }

  /** Takes all out. */
  List<Probe> clear() {
    List<Probe> all = new ArrayList<>();
    for (int index = 0; index < NUMBERS; index++) {
      Probe probe = byNumber.getPlain(index);
      if (probe != null) {
        all.add(probe);
        remove(probe);
      }
    }
    return all;
  }
}

package io.lb4j.wire;

import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;

/**
 * One way to reach memory by its address, as {@link DirectMemory} chooses it: handles in native order, {@code (long)T}
 * and {@code (long,T)void}. Immutable, shared.
 */
interface MemoryAccess {
  MethodHandle get(Class<?> type);

  MethodHandle set(Class<?> type);

  /** {@code (long,long,long)void}: from where, to where, how many bytes. */
  MethodHandle copy();

  long address(ByteBuffer buffer);

  /** Zeroed memory that is freed when the object that stands for it is garbage; null where there is no such. */
  default Object allocate(long bytes) {
    return null;
  }

  /** Where such memory begins. */
  default long addressOf(Object memory) {
    return 0;
  }

  /** {@code madvise(2)}: {@code (long,long,int)int}; null where no system call can be made. */
  default MethodHandle madvise() {
    return null;
  }
}

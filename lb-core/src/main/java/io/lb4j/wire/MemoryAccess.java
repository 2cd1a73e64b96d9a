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

  /** A function of the C library on {@code int} and {@code long}, as which pointers go; null where there is none. */
  default MethodHandle function(String name, Class<?> result, Class<?>... arguments) {
    return null;
  }

  /** Stands for memory from such a function. When the answer is garbage, {@code free} runs, which must not hold it. */
  default Object memory(long address, long bytes, Runnable free) {
    throw new IllegalStateException("no memory from elsewhere");
  }
}

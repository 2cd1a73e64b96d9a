package io.lb4j.wire;

import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Memory for tables in huge pages, from the system itself: address space first, then the wish, then the pages, each
 * zeroed once and huge from the beginning. Memory of the JVM is zeroed in small pages, which would have to be copied
 * together: two to ten times the work. Linux, where functions of the C library can be called; elsewhere {@link #map}
 * answers null, and callers take memory of the JVM. Static: safe from any thread.
 */
final class HugePages {
  /** Size of a huge page on the architectures that have them at two mebibytes. */
  static final int SIZE = 2 << 20;

  private static final int SMALL_PAGE = 4096;
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_POPULATE_WRITE = 23; // Linux 5.14 and later
  private static final int MADV_COLLAPSE = 25; // Linux 6.1 and later
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int NO_FILE = -1;
  private static final long MAP_FAILED = -1;

  private static final MethodHandle MADVISE = find("madvise", int.class, long.class, long.class, int.class);
  private static final MethodHandle MMAP =
      find("mmap", long.class, long.class, long.class, int.class, int.class, int.class, long.class);
  private static final MethodHandle MUNMAP = find("munmap", int.class, long.class, long.class);
  private static final boolean CAN_MAP = MADVISE != null && MMAP != null && MUNMAP != null;

  private HugePages() {}

  /** Read when the first large table is made, not by who needs none. */
  private static final class Budget {
    static final MemoryBudget MAPPED = new MemoryBudget(MemoryBudget.ofTheJvm());
  }

  private static MethodHandle find(String name, Class<?> result, Class<?>... arguments) {
    boolean linux = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux");
    MemoryAccess access = DirectMemory.access();
    return linux && access != null ? access.function(name, result, arguments) : null;
  }

  /**
   * Takes zeroed memory in as many huge pages as the system gives, all of it present. It is given back when the object
   * that stands for it is garbage.
   *
   * @param bytes a multiple of {@link #SIZE}
   * @return for {@link DirectMemory#addressOfMemory}, aligned to {@link #SIZE}; null where the JVM has to be asked
   * @throws OutOfMemoryError when there is not so much, or the JVM's limit does not leave it
   */
  static Object map(long bytes) {
    if (!CAN_MAP) {
      return null;
    }
    Budget.MAPPED.take(bytes);
    long whole = bytes + SIZE;
    long start = takeAddresses(whole);
    if (start == MAP_FAILED) {
      Budget.MAPPED.giveBack(bytes);
      throw new OutOfMemoryError("the system does not give " + bytes + " bytes");
    }
    long address = start + SIZE - 1 & -SIZE;
    Object memory = DirectMemory.access().memory(address, bytes, () -> unmap(start, whole, bytes));
    populate(address, bytes);
    return memory;
  }

  private static long takeAddresses(long bytes) {
    try {
      return (long) MMAP.invokeExact(0L, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, NO_FILE, 0L);
    } catch (Throwable e) {
      throw DirectMemory.impossible(e);
    }
  }

  private static void unmap(long start, long whole, long bytes) {
    try {
      int done = (int) MUNMAP.invokeExact(start, whole);
      assert done == 0 : "munmap";
    } catch (Throwable e) {
      throw DirectMemory.impossible(e);
    }
    Budget.MAPPED.giveBack(bytes);
  }

  /** Without the call that fills pages in, or without huge pages, the first write to a page does it. */
  private static void populate(long address, long bytes) {
    advise(address, bytes, MADV_HUGEPAGE);
    if (!advise(address, bytes, MADV_POPULATE_WRITE)) {
      for (long at = address; at < address + bytes; at += SMALL_PAGE) {
        DirectMemory.setByte(at, 0);
      }
    }
    advise(address, bytes, MADV_COLLAPSE); // where no huge page was free at once
  }

  /**
   * Asks for huge pages where memory is in use already (Linux 6.1 and later at once; earlier ones do it by and by).
   * Does nothing where system calls cannot be made; nobody depends on it.
   *
   * @param address a multiple of {@link #SIZE}
   * @param bytes a multiple of {@link #SIZE}
   */
  static void gather(long address, long bytes) {
    if (MADVISE != null && advise(address, bytes, MADV_HUGEPAGE)) {
      advise(address, bytes, MADV_COLLAPSE);
    }
  }

  private static boolean advise(long address, long bytes, int advice) {
    try {
      return (int) MADVISE.invokeExact(address, bytes, advice) == 0;
    } catch (Throwable e) {
      throw DirectMemory.impossible(e);
    }
  }
}

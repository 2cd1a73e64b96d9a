package io.lb4j.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.util.IllegalReferenceCountException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.Optional;

/**
 * Memory by its address, where this JVM gives it without a word of warning; the one place that knows how. Chosen once,
 * when the class is loaded:
 *
 * <ul>
 *   <li>Java 22 and later, if native access is enabled for this module ({@code --enable-native-access=io.lb4j.core}, or
 *       {@code ALL-UNNAMED} on the class path): {@code java.lang.foreign}
 *   <li>Java 17 to 23 otherwise: {@code sun.misc.Unsafe}, which these versions hand out silently
 *   <li>else nothing, and callers use their {@code ByteBuf} or {@code ByteBuffer}, whose own checks cost more
 * </ul>
 *
 * Nothing here checks an address: callers have checked offsets against lengths, and assert it. Static: safe from any
 * thread that owns the memory. Values of several bytes are in network order, except those of {@code ...Native}.
 */
public final class DirectMemory {
  /** Size of a huge page on the architectures that have them at two mebibytes. */
  public static final int HUGE_PAGE = 2 << 20;

  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_COLLAPSE = 25;
  private static final int FIRST_WITH_FOREIGN_MEMORY = 22;
  private static final int LAST_WITH_SILENT_UNSAFE = 23;

  private static final Access ACCESS = choose();

  /** Whether memory can be reached by address. */
  public static final boolean AVAILABLE = ACCESS != null;

  private static final MethodHandle GET_BYTE = AVAILABLE ? ACCESS.get(byte.class) : null;
  private static final MethodHandle GET_SHORT = AVAILABLE ? ACCESS.get(short.class) : null;
  private static final MethodHandle GET_INT = AVAILABLE ? ACCESS.get(int.class) : null;
  private static final MethodHandle GET_LONG = AVAILABLE ? ACCESS.get(long.class) : null;
  private static final MethodHandle SET_BYTE = AVAILABLE ? ACCESS.set(byte.class) : null;
  private static final MethodHandle SET_SHORT = AVAILABLE ? ACCESS.set(short.class) : null;
  private static final MethodHandle SET_INT = AVAILABLE ? ACCESS.set(int.class) : null;
  private static final MethodHandle SET_LONG = AVAILABLE ? ACCESS.set(long.class) : null;
  private static final MethodHandle COPY = AVAILABLE ? ACCESS.copy() : null;
  private static final long HIGHEST_PLACE = Long.MAX_VALUE >>> 1;
  private static final boolean IS_LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

  private DirectMemory() {}

  /** One way to reach memory: handles in native order, {@code (long)T} and {@code (long,T)void}. */
  private interface Access {
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

  private static Access choose() {
    int version = Runtime.version().feature();
    try {
      if (version >= FIRST_WITH_FOREIGN_MEMORY && isNativeAccessEnabled()) {
        return new ForeignMemory();
      }
      return version <= LAST_WITH_SILENT_UNSAFE ? new UnsafeMemory() : null;
    } catch (ReflectiveOperationException | RuntimeException e) {
      return null; // a JVM without either; the callers' way round is slower, not wrong
    }
  }

  private static boolean isNativeAccessEnabled() throws ReflectiveOperationException {
    return (boolean) Module.class.getMethod("isNativeAccessEnabled").invoke(DirectMemory.class.getModule());
  }

  /** {@code MemorySegment.NULL.reinterpret(Long.MAX_VALUE)}: all memory as one segment. */
  private static final class ForeignMemory implements Access {
    private final Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
    private final Object all;

    ForeignMemory() throws ReflectiveOperationException {
      Object nothing = segment.getField("NULL").get(null);
      this.all = segment.getMethod("reinterpret", long.class).invoke(nothing, Long.MAX_VALUE);
    }

    private MethodHandle handle(Class<?> type, VarHandle.AccessMode mode) {
      try {
        Class<?> layouts = Class.forName("java.lang.foreign.ValueLayout");
        String name = "JAVA_" + type.getName().toUpperCase(Locale.ROOT);
        Object layout = layouts.getField(type == byte.class ? name : name + "_UNALIGNED").get(null);
        VarHandle any = (VarHandle) layouts.getMethod("varHandle").invoke(layout);
        return MethodHandles.insertArguments(any.toMethodHandle(mode), 0, all);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public MethodHandle get(Class<?> type) {
      return handle(type, VarHandle.AccessMode.GET);
    }

    @Override
    public MethodHandle set(Class<?> type) {
      return handle(type, VarHandle.AccessMode.SET);
    }

    @Override
    public MethodHandle copy() {
      try {
        MethodType type = MethodType.methodType(void.class, segment, long.class, segment, long.class, long.class);
        MethodHandle any = MethodHandles.publicLookup().findStatic(segment, "copy", type);
        return MethodHandles.insertArguments(MethodHandles.insertArguments(any, 2, all), 0, all);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    /** All by reflection, because these classes are younger than the Java this module is compiled for. */
    @Override
    public MethodHandle madvise() {
      try {
        String foreign = "java.lang.foreign.";
        Class<?> linkerType = Class.forName(foreign + "Linker");
        Class<?> layout = Class.forName(foreign + "MemoryLayout");
        Class<?> descriptor = Class.forName(foreign + "FunctionDescriptor");
        Class<?> layouts = Class.forName(foreign + "ValueLayout");
        Object number = layouts.getField("JAVA_INT").get(null);
        Object word = layouts.getField("JAVA_LONG").get(null);
        Object arguments = Array.newInstance(layout, 3);
        Array.set(arguments, 0, word);
        Array.set(arguments, 1, word);
        Array.set(arguments, 2, number);
        Object signature =
            descriptor.getMethod("of", layout, arguments.getClass()).invoke(null, number, arguments);
        Object linker = linkerType.getMethod("nativeLinker").invoke(null);
        Object lookup = linkerType.getMethod("defaultLookup").invoke(linker);
        Optional<?> symbol =
            (Optional<?>)
                Class.forName(foreign + "SymbolLookup").getMethod("find", String.class).invoke(lookup, "madvise");
        if (symbol.isEmpty()) {
          return null;
        }
        Class<?> option = Class.forName(foreign + "Linker$Option");
        Object options = Array.newInstance(option, 0);
        return (MethodHandle)
            linkerType
                .getMethod("downcallHandle", segment, descriptor, options.getClass())
                .invoke(linker, symbol.get(), signature, options);
      } catch (ReflectiveOperationException e) {
        return null;
      }
    }

    @Override
    public Object allocate(long bytes) {
      try {
        Class<?> arena = Class.forName("java.lang.foreign.Arena");
        Object auto = arena.getMethod("ofAuto").invoke(null);
        return arena.getMethod("allocate", long.class, long.class).invoke(auto, bytes, 8L);
      } catch (InvocationTargetException e) {
        if (e.getCause() instanceof OutOfMemoryError none) {
          throw none;
        }
        throw new IllegalStateException(e);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public long addressOf(Object memory) {
      try {
        return (long) segment.getMethod("address").invoke(memory);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public long address(ByteBuffer buffer) {
      try {
        Object of = segment.getMethod("ofBuffer", Buffer.class).invoke(null, buffer);
        return (long) segment.getMethod("address").invoke(of) - buffer.position();
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Calls {@code madvise}, where the system has it; answers whether it succeeded. */
  private static boolean advise(MethodHandle madvise, long address, long bytes, int advice) {
    try {
      return (int) madvise.invokeExact(address, bytes, advice) == 0;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** {@code sun.misc.Unsafe} behind method handles, because the compiler warns of the class itself. */
  private static final class UnsafeMemory implements Access {
    private final Class<?> type = Class.forName("sun.misc.Unsafe");
    private final Object unsafe;
    private final long addressOffset;

    UnsafeMemory() throws ReflectiveOperationException {
      Field only = type.getDeclaredField("theUnsafe");
      only.setAccessible(true);
      this.unsafe = only.get(null);
      Field address = Buffer.class.getDeclaredField("address");
      this.addressOffset = (long) type.getMethod("objectFieldOffset", Field.class).invoke(unsafe, address);
    }

    private MethodHandle find(String name, MethodType signature) {
      try {
        return MethodHandles.publicLookup().findVirtual(type, name, signature).bindTo(unsafe);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    private static String suffix(Class<?> value) {
      String name = value.getName();
      return Character.toUpperCase(name.charAt(0)) + name.substring(1);
    }

    @Override
    public MethodHandle get(Class<?> value) {
      return find("get" + suffix(value), MethodType.methodType(value, long.class));
    }

    @Override
    public MethodHandle set(Class<?> value) {
      return find("put" + suffix(value), MethodType.methodType(void.class, long.class, value));
    }

    @Override
    public MethodHandle copy() {
      return find("copyMemory", MethodType.methodType(void.class, long.class, long.class, long.class));
    }

    @Override
    public long address(ByteBuffer buffer) {
      try {
        return (long)
            type.getMethod("getLong", Object.class, long.class).invoke(unsafe, buffer, addressOffset);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /**
   * How memory is reached, for reports of measurements.
   *
   * @return {@code foreign}, {@code unsafe} or {@code none}
   */
  public static String mode() {
    return ACCESS == null ? "none" : ACCESS instanceof ForeignMemory ? "foreign" : "unsafe";
  }

  /**
   * The address of a buffer's index 0.
   *
   * @param buffer alive
   * @return 0 when its memory cannot be reached by address: a heap buffer, or a JVM that gives no addresses
   * @throws IllegalReferenceCountException when the buffer was released
   * @throws IllegalArgumentException for a composite buffer, whose bytes are in several places
   */
  public static long addressOf(ByteBuf buffer) {
    if (AVAILABLE && buffer.hasMemoryAddress()) {
      if (buffer.refCnt() == 0) {
        throw new IllegalReferenceCountException(0);
      }
      return buffer.memoryAddress();
    }
    if (buffer instanceof CompositeByteBuf) {
      throw new IllegalArgumentException("a frame in a composite buffer: copy it into one piece first");
    }
    return 0;
  }

  /**
   * Copies bytes of one buffer into another. Where both can be reached by address this allocates nothing, unlike {@link
   * ByteBuf#setBytes(int, ByteBuf, int, int)}, which makes objects for a direct buffer each time.
   *
   * @param from alive
   * @param fromIndex of the first byte
   * @param to another buffer, or one in which the two places do not overlap
   * @param toIndex where the first byte goes
   * @param length bytes; the caller has checked that both buffers have them
   */
  public static void copy(ByteBuf from, int fromIndex, ByteBuf to, int toIndex, int length) {
    long source = addressOf(from);
    long target = addressOf(to);
    if (source == 0 || target == 0) {
      to.setBytes(toIndex, from, fromIndex, length);
      return;
    }
    assert fromIndex >= 0 && fromIndex + length <= from.capacity();
    assert toIndex >= 0 && toIndex + length <= to.capacity();
    try {
      COPY.invokeExact(source + fromIndex, target + toIndex, (long) length);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * The address of a direct buffer's index 0.
   *
   * @param buffer direct; has to be kept reachable while the address is used
   * @return 0 when memory cannot be reached by address
   */
  public static long addressOf(ByteBuffer buffer) {
    return AVAILABLE ? ACCESS.address(buffer) : 0;
  }

  /**
   * Zeroed memory of more than a {@code ByteBuffer} holds, freed when the object that stands for it is garbage.
   *
   * @param bytes how much
   * @return for {@link #addressOfMemory}; to be kept reachable while the address is used
   * @throws OutOfMemoryError when there is not so much, or {@code java.lang.foreign} cannot be used
   */
  static Object allocate(long bytes) {
    Object memory = AVAILABLE ? ACCESS.allocate(bytes) : null;
    if (memory == null) {
      throw new OutOfMemoryError("tables of 2 GiB and more need Java 22 or later with native access for io.lb4j.core");
    }
    return memory;
  }

  /** Where memory of {@link #allocate} begins. */
  static long addressOfMemory(Object memory) {
    return ACCESS.addressOf(memory);
  }

  /**
   * An address as the base of several reads and writes. No address is that high, so nothing changes; but the compiler
   * sees that an offset added to it stays an address, and leaves out a check for each of them.
   *
   * @param address any
   * @return the same
   */
  public static long base(long address) {
    return address & HIGHEST_PLACE;
  }

  /**
   * Asks the system for huge pages, at once and for memory that is in use already (Linux 6.1 and later; earlier ones do
   * it by and by). Does nothing where system calls cannot be made; nobody depends on it.
   *
   * @param address a multiple of {@link #HUGE_PAGE}
   * @param bytes a multiple of {@link #HUGE_PAGE}
   * @return whether the system has said yes
   */
  public static boolean adviseHugePages(long address, long bytes) {
    MethodHandle madvise = AVAILABLE ? ACCESS.madvise() : null;
    if (madvise == null) {
      return false;
    }
    boolean advised = advise(madvise, address, bytes, MADV_HUGEPAGE);
    return advised && advise(madvise, address, bytes, MADV_COLLAPSE);
  }

  private static Error impossible(Throwable cause) {
    return new AssertionError(cause);
  }

  /**
   * Reads 8 bits.
   *
   * @param address of the byte
   * @return 0..255
   */
  public static int getUnsignedByte(long address) {
    try {
      return (byte) GET_BYTE.invokeExact(address) & 0xFF;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Reads 16 bits.
   *
   * @param address of the first byte
   * @return 0..65535
   */
  public static int getUnsignedShort(long address) {
    try {
      short value = (short) GET_SHORT.invokeExact(address);
      return (IS_LITTLE_ENDIAN ? Short.reverseBytes(value) : value) & 0xFFFF;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Reads 32 bits.
   *
   * @param address of the first byte
   * @return 32 bits
   */
  public static int getInt(long address) {
    int value = getIntNative(address);
    return IS_LITTLE_ENDIAN ? Integer.reverseBytes(value) : value;
  }

  /**
   * Reads 64 bits.
   *
   * @param address of the first byte
   * @return 64 bits
   */
  public static long getLong(long address) {
    long value = getLongNative(address);
    return IS_LITTLE_ENDIAN ? Long.reverseBytes(value) : value;
  }

  /**
   * Writes 8 bits.
   *
   * @param address of the byte
   * @param value the lower 8 bits count
   */
  public static void setByte(long address, int value) {
    try {
      SET_BYTE.invokeExact(address, (byte) value);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Writes 16 bits.
   *
   * @param address of the first byte
   * @param value the lower 16 bits count
   */
  public static void setShort(long address, int value) {
    try {
      short ordered = IS_LITTLE_ENDIAN ? Short.reverseBytes((short) value) : (short) value;
      SET_SHORT.invokeExact(address, ordered);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Writes 32 bits.
   *
   * @param address of the first byte
   * @param value 32 bits
   */
  public static void setInt(long address, int value) {
    setIntNative(address, IS_LITTLE_ENDIAN ? Integer.reverseBytes(value) : value);
  }

  /**
   * Writes 64 bits.
   *
   * @param address of the first byte
   * @param value 64 bits
   */
  public static void setLong(long address, long value) {
    setLongNative(address, IS_LITTLE_ENDIAN ? Long.reverseBytes(value) : value);
  }

  /**
   * Reads 32 bits in the machine's order.
   *
   * @param address of the first byte
   * @return 32 bits
   */
  public static int getIntNative(long address) {
    try {
      return (int) GET_INT.invokeExact(address);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Reads 64 bits in the machine's order.
   *
   * @param address of the first byte
   * @return 64 bits
   */
  public static long getLongNative(long address) {
    try {
      return (long) GET_LONG.invokeExact(address);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Writes 32 bits in the machine's order.
   *
   * @param address of the first byte
   * @param value 32 bits
   */
  public static void setIntNative(long address, int value) {
    try {
      SET_INT.invokeExact(address, value);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Writes 64 bits in the machine's order.
   *
   * @param address of the first byte
   * @param value 64 bits
   */
  public static void setLongNative(long address, long value) {
    try {
      SET_LONG.invokeExact(address, value);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }
}

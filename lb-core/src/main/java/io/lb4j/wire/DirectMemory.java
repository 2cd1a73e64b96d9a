package io.lb4j.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.util.IllegalReferenceCountException;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory by its address, where this JVM gives it without a word of warning; the one place that chooses how, once, when
 * the class is loaded:
 *
 * <ul>
 *   <li>Java 22 and later, if native access is enabled for this module ({@code --enable-native-access=io.lb4j.core}, or
 *       {@code ALL-UNNAMED} on the class path): {@code java.lang.foreign} ({@link ForeignMemory})
 *   <li>Java 17 to 23 otherwise: {@code sun.misc.Unsafe}, which these versions hand out silently
 *       ({@link UnsafeMemory})
 *   <li>else nothing, and callers use their {@code ByteBuf} or {@code ByteBuffer}, whose own checks cost more
 * </ul>
 *
 * Nothing here checks an address: callers have checked offsets against lengths, and assert it. Static: safe from any
 * thread that owns the memory. Values of several bytes are in network order, except those of {@code ...Native}.
 */
public final class DirectMemory {
  private static final int FIRST_WITH_FOREIGN_MEMORY = 22;
  private static final int LAST_WITH_SILENT_UNSAFE = 23;

  private static final MemoryAccess ACCESS = choose();

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

  private static MemoryAccess choose() {
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

  /** How memory is reached; null when it is not. */
  static MemoryAccess access() {
    return ACCESS;
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

  /** Where memory of {@link #allocate} or {@link HugePages#map} begins. */
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

  /** What a handle cannot throw. */
  static Error impossible(Throwable cause) {
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

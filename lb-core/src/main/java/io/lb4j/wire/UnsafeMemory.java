package io.lb4j.wire;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Memory by {@code sun.misc.Unsafe}, behind method handles, because the compiler warns of the class itself. Immutable,
 * shared.
 */
final class UnsafeMemory implements MemoryAccess {
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

package io.lb4j.wire;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Optional;

/**
 * Memory by {@code java.lang.foreign}: one segment of all,
 * {@code MemorySegment.NULL.reinterpret(Long.MAX_VALUE)}. By reflection, because these classes are younger than the
 * Java this module is compiled for. Immutable, shared.
 */
final class ForeignMemory implements MemoryAccess {
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

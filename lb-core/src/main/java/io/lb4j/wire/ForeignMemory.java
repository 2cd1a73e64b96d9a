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
import java.util.function.Consumer;

/**
 * Memory by {@code java.lang.foreign}: one segment of all,
 * {@code MemorySegment.NULL.reinterpret(Long.MAX_VALUE)}. By reflection, because these classes are younger than the
 * Java this module is compiled for. Immutable, shared.
 */
final class ForeignMemory implements MemoryAccess {
  private static final String FOREIGN = "java.lang.foreign.";

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

  private static Object layout(Class<?> type) throws ReflectiveOperationException {
    return Class.forName(FOREIGN + "ValueLayout").getField("JAVA_" + type.getName().toUpperCase(Locale.ROOT)).get(null);
  }

  private static Object signature(Class<?> result, Class<?>... arguments) throws ReflectiveOperationException {
    Object layouts = Array.newInstance(Class.forName(FOREIGN + "MemoryLayout"), arguments.length);
    for (int i = 0; i < arguments.length; i++) {
      Array.set(layouts, i, layout(arguments[i]));
    }
    return Class.forName(FOREIGN + "FunctionDescriptor")
        .getMethod("of", layouts.getClass().getComponentType(), layouts.getClass())
        .invoke(null, layout(result), layouts);
  }

  @Override
  public MethodHandle function(String name, Class<?> result, Class<?>... arguments) {
    try {
      Class<?> linkerType = Class.forName(FOREIGN + "Linker");
      Class<?> descriptor = Class.forName(FOREIGN + "FunctionDescriptor");
      Object linker = linkerType.getMethod("nativeLinker").invoke(null);
      Object lookup = linkerType.getMethod("defaultLookup").invoke(linker);
      Optional<?> symbol =
          (Optional<?>) Class.forName(FOREIGN + "SymbolLookup").getMethod("find", String.class).invoke(lookup, name);
      if (symbol.isEmpty()) {
        return null;
      }
      Object options = Array.newInstance(Class.forName(FOREIGN + "Linker$Option"), 0);
      return (MethodHandle)
          linkerType
              .getMethod("downcallHandle", segment, descriptor, options.getClass())
              .invoke(linker, symbol.get(), signature(result, arguments), options);
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }

  @Override
  public Object memory(long address, long bytes, Runnable free) {
    try {
      Class<?> arena = Class.forName(FOREIGN + "Arena");
      Object auto = arena.getMethod("ofAuto").invoke(null);
      Object at = segment.getMethod("ofAddress", long.class).invoke(null, address);
      Consumer<Object> cleanup = ignored -> free.run();
      return segment.getMethod("reinterpret", long.class, arena, Consumer.class).invoke(at, bytes, auto, cleanup);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
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

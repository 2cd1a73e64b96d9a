package io.lb4j.pcap.os;

import io.lb4j.port.PortException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What the bindings of C functions share. Safe from any thread. */
public final class Native {
  public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  public static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT;

  /** A pointer, passed as a number so that no object is made for it. */
  public static final ValueLayout.OfLong POINTER = ValueLayout.JAVA_LONG;

  /** All memory, to read through addresses that C gave us without making an object for each. */
  public static final MemorySegment MEMORY = allMemory();

  /** Stores errno after a call; the function then takes the state as its first argument. */
  public static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

  public static final boolean LINUX = System.getProperty("os.name").equals("Linux");
  public static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

  private static final String DESCRIPTORS_REMEDY = "raise the limit: ulimit -n, or LimitNOFILE= (systemd)";

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO_OFFSET = CALL_STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  private Native() {}

  @SuppressWarnings("restricted")
  private static MemorySegment allMemory() {
    return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  }

  public static SymbolLookup systemLibrary() {
    return LINKER.defaultLookup();
  }

  /**
   * Loads a library for the life of the process.
   *
   * @throws IllegalArgumentException when there is none of this name
   */
  @SuppressWarnings("restricted")
  public static SymbolLookup library(String nameOrPath) {
    if (nameOrPath.indexOf('/') >= 0) {
      return SymbolLookup.libraryLookup(Path.of(nameOrPath), Arena.global());
    }
    return SymbolLookup.libraryLookup(nameOrPath, Arena.global());
  }

  /** Binds a function; null when the library has none of this name. */
  @SuppressWarnings("restricted")
  public static MethodHandle bind(
      SymbolLookup library, String name, FunctionDescriptor type, Linker.Option... options) {
    return library.find(name).map(address -> LINKER.downcallHandle(address, type, options)).orElse(null);
  }

  /** Room for errno, to be passed to functions bound with {@link #ERRNO}. */
  public static MemorySegment callState(Arena arena) {
    return arena.allocate(CALL_STATE);
  }

  public static int errno(MemorySegment callState) {
    return callState.get(INT, ERRNO_OFFSET);
  }

  /** The answer itself, or -errno when the function answered less than 0. */
  public static int answer(int answer, MemorySegment callState) {
    return answer < 0 ? -errno(callState) : answer;
  }

  /** The text at an address; empty for NULL. */
  public static String text(long address) {
    if (address == 0) {
      return "";
    }
    int length = 0;
    while (length < 4096 && MEMORY.get(ValueLayout.JAVA_BYTE, address + length) != 0) {
      length++;
    }
    byte[] bytes = new byte[length];
    MemorySegment.copy(MEMORY, ValueLayout.JAVA_BYTE, address, bytes, 0, length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** C functions do not throw; what a handle throws is a wrong binding, or the machine failing. */
  public static RuntimeException unexpected(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("a call of a C function failed", thrown);
  }

  public static PortException failure(PortException.Cause cause, String call, int errno, String likelyCause) {
    String name = errno == 0 ? "" : ": " + Libc.describe(errno);
    String remedy = errno == Libc.EMFILE ? DESCRIPTORS_REMEDY : likelyCause;
    return new PortException(cause, call + " failed" + name + "; " + remedy);
  }

  /** What helps, by the words of a library that does not leave the errno of what failed. */
  public static String remedy(String said, String otherwise) {
    return said.contains(Libc.words(Libc.EMFILE)) ? DESCRIPTORS_REMEDY : otherwise;
  }

  /** What ended the opening of a port, as the exception that it answers with: the JVM may be out of memory as well. */
  public static RuntimeException openingFailure(String device, Throwable thrown) {
    if (thrown instanceof OutOfMemoryError none) {
      return new PortException(
          PortException.Cause.SYSTEM,
          device + ": the JVM has no memory for its frames: " + none.getMessage() + "; choose fewer queues or smaller"
              + " rings, or raise the limit: -XX:MaxDirectMemorySize, which is that of -Xmx where it is not given",
          none);
    }
    return thrown instanceof RuntimeException known ? known : unexpected(thrown);
  }
}

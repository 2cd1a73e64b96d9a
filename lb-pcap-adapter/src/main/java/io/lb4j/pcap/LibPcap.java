package io.lb4j.pcap;

import static io.lb4j.pcap.os.Native.INT;
import static io.lb4j.pcap.os.Native.LONG;
import static io.lb4j.pcap.os.Native.POINTER;

import io.lb4j.pcap.os.Native;
import io.lb4j.port.PortException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * The functions of libpcap that ports use, looked up when the first port is opened. A handle is owned by one thread at
 * a time, except that {@code pcap_stats} may be called beside {@code pcap_next_ex} on Linux, where they touch different
 * fields.
 */
final class LibPcap {
  static final int ERROR_BUFFER_SIZE = 256;
  static final int DIRECTION_IN = 1;
  static final int LINK_ETHERNET = 1;

  // answers of pcap_activate, <pcap/pcap.h>
  static final int ERROR_NO_SUCH_DEVICE = -5;
  static final int ERROR_PERM_DENIED = -8;
  static final int ERROR_IFACE_NOT_UP = -9;
  static final int ERROR_PROMISC_PERM_DENIED = -11;

  /** Where the captured length stands in pcap_pkthdr: behind a timeval, which is 8 bytes on Windows. */
  static final int CAPTURED_LENGTH_OFFSET = Native.WINDOWS ? 8 : 16;

  /** System property that names the library's file. */
  static final String LIBRARY_PROPERTY = "io.lb4j.pcap.library";

  private static final List<String> NAMES =
      List.of("libpcap.so.0.8", "libpcap.so.1", "libpcap.so", "libpcap.A.dylib", "libpcap.dylib", "wpcap.dll");

  private static final Load LOAD = load();

  private static final MethodHandle CREATE = bind("pcap_create", FunctionDescriptor.of(POINTER, POINTER, POINTER));
  private static final MethodHandle ACTIVATE = intOfHandle("pcap_activate");
  private static final MethodHandle SELECTABLE_FD = intOfHandle("pcap_get_selectable_fd");
  private static final MethodHandle FILENO = intOfHandle("pcap_fileno");
  private static final MethodHandle DATALINK = intOfHandle("pcap_datalink");
  private static final MethodHandle SET_NONBLOCK =
      bind("pcap_setnonblock", FunctionDescriptor.of(INT, POINTER, INT, POINTER));
  private static final MethodHandle NEXT_EX =
      bind("pcap_next_ex", FunctionDescriptor.of(INT, POINTER, POINTER, POINTER));
  private static final MethodHandle STATS = bind("pcap_stats", FunctionDescriptor.of(INT, POINTER, POINTER));
  private static final MethodHandle INJECT = bind("pcap_inject", FunctionDescriptor.of(INT, POINTER, POINTER, LONG));
  private static final MethodHandle GETERR = bind("pcap_geterr", FunctionDescriptor.of(POINTER, POINTER));
  private static final MethodHandle STATUSTOSTR = bind("pcap_statustostr", FunctionDescriptor.of(POINTER, INT));
  private static final MethodHandle CLOSE = bind("pcap_close", FunctionDescriptor.ofVoid(POINTER));

  private LibPcap() {}

  private record Load(SymbolLookup library, String problem) {}

  private static Load load() {
    if (Native.POINTER.byteSize() != java.lang.foreign.ValueLayout.ADDRESS.byteSize()) {
      return new Load(null, "this adapter needs a 64-bit system");
    }
    String chosen = System.getProperty(LIBRARY_PROPERTY);
    List<String> names = chosen == null ? NAMES : List.of(chosen);
    for (String name : names) {
      try {
        return new Load(Native.library(name), "");
      } catch (IllegalArgumentException e) {
        // try the next name
      }
    }
    return new Load(null, "libpcap was not found under the names " + names);
  }

  private static MethodHandle bind(String name, FunctionDescriptor type) {
    return LOAD.library == null ? null : Native.bind(LOAD.library, name, type);
  }

  private static MethodHandle intOfHandle(String name) {
    return bind(name, FunctionDescriptor.of(INT, POINTER));
  }

  /**
   * Asks for the library.
   *
   * @throws PortException with NOT_SUPPORTED when it is absent, saying which package has it
   */
  static void require() {
    if (LOAD.library == null || NEXT_EX == null || INJECT == null) {
      throw new PortException(
          PortException.Cause.NOT_SUPPORTED,
          (LOAD.library == null ? LOAD.problem : "libpcap lacks pcap_next_ex or pcap_inject")
              + "; install libpcap 1.5 or later (Debian, Ubuntu: apt install libpcap0.8; Fedora: dnf install libpcap;"
              + " Alpine: apk add libpcap) or name its file with -D" + LIBRARY_PROPERTY + "=");
    }
  }

  /** Answers the handle's address, or 0 with the reason in the error buffer. */
  static long create(MemorySegment device, MemorySegment errorBuffer) {
    try {
      return (long) CREATE.invokeExact(device.address(), errorBuffer.address());
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** Calls one of the setters that are used before activation, pcap_set_snaplen and its like. */
  static void set(String function, long handle, int value) {
    MethodHandle setter = bind(function, FunctionDescriptor.of(INT, POINTER, INT));
    if (setter == null) {
      throw new PortException(PortException.Cause.NOT_SUPPORTED, "this libpcap lacks " + function);
    }
    int answer;
    try {
      answer = (int) setter.invokeExact(handle, value);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
    if (answer < 0) {
      throw new PortException(
          PortException.Cause.SYSTEM, function + "(" + value + ") failed: " + status(answer) + ": " + error(handle));
    }
  }

  static int activate(long handle) {
    return intOf(ACTIVATE, handle);
  }

  static int setNonBlock(long handle, MemorySegment errorBuffer) {
    try {
      return (int) SET_NONBLOCK.invokeExact(handle, 1, errorBuffer.address());
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** Answers -1 where the system has no descriptor to wait on. */
  static int selectableFd(long handle) {
    return SELECTABLE_FD == null ? -1 : intOf(SELECTABLE_FD, handle);
  }

  static int fileno(long handle) {
    return intOf(FILENO, handle);
  }

  static int datalink(long handle) {
    return intOf(DATALINK, handle);
  }

  private static int intOf(MethodHandle function, long handle) {
    try {
      return (int) function.invokeExact(handle);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** Answers 1 for a frame, 0 when none waits, less for an error; fills in the addresses of header and data. */
  static int next(long handle, long headerPointer, long dataPointer) {
    try {
      return (int) NEXT_EX.invokeExact(handle, headerPointer, dataPointer);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  static int stats(long handle, MemorySegment pcapStat) {
    try {
      return (int) STATS.invokeExact(handle, pcapStat.address());
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  static int inject(long handle, long address, long length) {
    try {
      return (int) INJECT.invokeExact(handle, address, length);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  static String error(long handle) {
    try {
      return Native.text((long) GETERR.invokeExact(handle));
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  static String status(int answer) {
    try {
      return Native.text((long) STATUSTOSTR.invokeExact(answer));
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  static void close(long handle) {
    try {
      CLOSE.invokeExact(handle);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** The text that libpcap left in an error buffer. */
  static String text(MemorySegment errorBuffer) {
    return errorBuffer.getString(0);
  }

  static MemorySegment errorBuffer(Arena arena) {
    return arena.allocate(ERROR_BUFFER_SIZE);
  }
}

package io.lb4j.pcap.os;

import static io.lb4j.pcap.os.Native.ERRNO;
import static io.lb4j.pcap.os.Native.INT;
import static io.lb4j.pcap.os.Native.LONG;
import static io.lb4j.pcap.os.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The functions of the C library that ports use. Each answers what the function answered, or -errno. Numbers are those
 * of Linux on 64-bit x86, Arm and RISC-V. Safe from any thread.
 */
public final class Libc {
  public static final int EPERM = 1;
  public static final int EINTR = 4;
  public static final int ENXIO = 6;
  public static final int EBADF = 9;
  public static final int EAGAIN = 11;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int ENODEV = 19;
  public static final int EINVAL = 22;
  public static final int EMFILE = 24;
  public static final int ENETDOWN = 100;
  public static final int ENOBUFS = 105;

  public static final short POLLIN = 1;
  public static final short POLLERR = 8;
  public static final short POLLHUP = 16;
  public static final short POLLNVAL = 32;

  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int MAP_SHARED = 1;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_FIXED = 0x10;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MAP_POPULATE = 0x8000;

  private static final SymbolLookup LIBC = Native.systemLibrary();
  private static final MethodHandle SOCKET = bind("socket", FunctionDescriptor.of(INT, INT, INT, INT));
  private static final MethodHandle CLOSE = bind("close", FunctionDescriptor.of(INT, INT));
  private static final MethodHandle BIND = bind("bind", FunctionDescriptor.of(INT, INT, POINTER, INT));
  private static final MethodHandle GETSOCKNAME =
      bind("getsockname", FunctionDescriptor.of(INT, INT, POINTER, POINTER));
  private static final MethodHandle SETSOCKOPT =
      bind("setsockopt", FunctionDescriptor.of(INT, INT, INT, INT, POINTER, INT));
  private static final MethodHandle GETSOCKOPT =
      bind("getsockopt", FunctionDescriptor.of(INT, INT, INT, INT, POINTER, POINTER));
  private static final MethodHandle MMAP =
      bind("mmap", FunctionDescriptor.of(POINTER, POINTER, LONG, INT, INT, INT, LONG));
  private static final MethodHandle MUNMAP = bind("munmap", FunctionDescriptor.of(INT, POINTER, LONG));
  private static final MethodHandle IOCTL =
      bind("ioctl", FunctionDescriptor.of(INT, INT, LONG, POINTER), Linker.Option.firstVariadicArg(2));
  private static final MethodHandle PIPE = bind("pipe", FunctionDescriptor.of(INT, POINTER));
  private static final MethodHandle WRITE = bind("write", FunctionDescriptor.of(LONG, INT, POINTER, LONG));
  private static final MethodHandle SEND = bind("send", FunctionDescriptor.of(LONG, INT, POINTER, LONG, INT));
  private static final MethodHandle SENDMMSG =
      bind("sendmmsg", FunctionDescriptor.of(INT, INT, POINTER, INT, INT));

  // Without errno, because these are called for every burst: that a call state is handed in costs an object, unless the
  // compiler happens to see through all of the call.
  private static final MethodHandle SENDMMSG_ALONE =
      Native.bind(LIBC, "sendmmsg", FunctionDescriptor.of(INT, INT, POINTER, INT, INT));
  private static final MethodHandle PPOLL =
      Native.bind(LIBC, "ppoll", FunctionDescriptor.of(INT, POINTER, LONG, POINTER, POINTER));
  private static final MethodHandle POLL = Native.bind(LIBC, "poll", FunctionDescriptor.of(INT, POINTER, INT, INT));
  private static final MethodHandle RECV =
      Native.bind(LIBC, "recv", FunctionDescriptor.of(LONG, INT, POINTER, LONG, INT));
  private static final MethodHandle STRERROR =
      Native.bind(LIBC, "strerror", FunctionDescriptor.of(POINTER, INT));

  private Libc() {}

  private static MethodHandle bind(String name, FunctionDescriptor type, Linker.Option... options) {
    Linker.Option[] all = new Linker.Option[options.length + 1];
    all[0] = ERRNO;
    System.arraycopy(options, 0, all, 1, options.length);
    return Native.bind(LIBC, name, type, all);
  }

  /** Whether await can be built on file descriptors. */
  public static boolean hasPoll() {
    return POLL != null && PIPE != null;
  }

  public static int socket(int domain, int type, int protocol) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      return Native.answer((int) SOCKET.invokeExact(state, domain, type, protocol), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  public static int close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      return Native.answer((int) CLOSE.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  public static int bind(int fd, MemorySegment address) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      return Native.answer((int) BIND.invokeExact(state, fd, address.address(), (int) address.byteSize()), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /**
   * Asks what a socket is bound to.
   *
   * @param address filled in; its size is the room the kernel is told
   */
  public static int getsockname(int fd, MemorySegment address) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      long length = arena.allocateFrom(INT, (int) address.byteSize()).address();
      return Native.answer((int) GETSOCKNAME.invokeExact(state, fd, address.address(), length), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  public static int setsockopt(int fd, int level, int option, MemorySegment value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      int length = (int) value.byteSize();
      return Native.answer((int) SETSOCKOPT.invokeExact(state, fd, level, option, value.address(), length), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  public static int setsockopt(int fd, int level, int option, int value) {
    try (Arena arena = Arena.ofConfined()) {
      return setsockopt(fd, level, option, arena.allocateFrom(INT, value));
    }
  }

  /**
   * Asks for an option's value.
   *
   * @param value filled in; its size is the room the kernel is told
   */
  public static int getsockopt(int fd, int level, int option, MemorySegment value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      long length = arena.allocateFrom(INT, (int) value.byteSize()).address();
      return Native.answer((int) GETSOCKOPT.invokeExact(state, fd, level, option, value.address(), length), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /**
   * Maps memory that the kernel shares with us, to be read and written, its pages present.
   *
   * @param fd whose memory
   * @param offset which part of it
   * @return the address, or -errno
   */
  public static long mmapShared(int fd, long length, long offset) {
    return mmap(0, length, MAP_SHARED | MAP_POPULATE, fd, offset);
  }

  /**
   * As {@link #mmapShared}, where another mapping is, which that ends.
   *
   * @return the address, or -errno; then there may be no mapping any more
   */
  public static long mmapSharedOver(long address, int fd, long length) {
    return mmap(address, length, MAP_SHARED | MAP_POPULATE | MAP_FIXED, fd, 0);
  }

  /**
   * Puts empty memory where a mapping is, which ends the mapping: who still reads there reads zeros.
   *
   * @return the address, or -errno
   */
  public static long mmapEmptyOver(long address, long length) {
    return mmap(address, length, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  }

  private static long mmap(long wanted, long length, int flags, int fd, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      long address = (long) MMAP.invokeExact(state, wanted, length, PROT_READ | PROT_WRITE, flags, fd, offset);
      return address == -1 ? -Native.errno(state) : address;
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** Ends a mapping. Whoever touches its memory afterwards ends the process. */
  public static int munmap(long address, long length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      return Native.answer((int) MUNMAP.invokeExact(state, address, length), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  public static int ioctl(int fd, long request, MemorySegment argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      return Native.answer((int) IOCTL.invokeExact(state, fd, request, argument.address()), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** Fills in the reading and the writing end. */
  public static int pipe(MemorySegment twoInts) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      return Native.answer((int) PIPE.invokeExact(state, twoInts.address()), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  public static int writeByte(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      long address = arena.allocate(1).address();
      return Native.answer((int) (long) WRITE.invokeExact(state, fd, address, 1L), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** Sends one message; answers its bytes. */
  public static int send(int fd, MemorySegment message, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      return Native.answer(
          (int) (long) SEND.invokeExact(state, fd, message.address(), message.byteSize(), flags), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /**
   * Waits for events; to the nanosecond where the system can, else to the millisecond, rounded down.
   *
   * @param timespec 16 bytes of room
   * @return how many files have events; less than 0 for an error, such as a signal
   */
  public static int poll(MemorySegment pollfds, int count, long timeoutNs, MemorySegment timespec) {
    try {
      if (PPOLL == null) {
        int timeoutMs = (int) Math.min(timeoutNs / 1_000_000, Integer.MAX_VALUE);
        return (int) POLL.invokeExact(pollfds.address(), count, timeoutMs);
      }
      timespec.set(LONG, 0, timeoutNs / 1_000_000_000);
      timespec.set(LONG, 8, timeoutNs % 1_000_000_000);
      return (int) PPOLL.invokeExact(pollfds.address(), (long) count, timespec.address(), 0L);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /**
   * Sends messages without waiting. What fails is tried once more, to learn why: the second answer is the one given.
   */
  public static int sendmmsg(int fd, long messages, int count, int flags, MemorySegment state) {
    try {
      int answer = (int) SENDMMSG_ALONE.invokeExact(fd, messages, count, flags);
      return answer >= 0
          ? answer
          : Native.answer((int) SENDMMSG.invokeExact(state, fd, messages, count, flags), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /**
   * Takes a message from a socket.
   *
   * @return its bytes; less than 0 when there is none
   */
  public static long recv(int fd, long address, long room, int flags) {
    try {
      return (long) RECV.invokeExact(fd, address, room, flags);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** The system's words and number for an error. */
  public static String describe(int errno) {
    return words(errno) + " (errno " + errno + ")";
  }

  /** The system's words for an error. */
  public static String words(int errno) {
    try {
      return Native.text((long) STRERROR.invokeExact(errno));
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }
}

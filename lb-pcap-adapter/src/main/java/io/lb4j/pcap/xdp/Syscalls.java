package io.lb4j.pcap.xdp;

import static io.lb4j.pcap.os.Native.INT;
import static io.lb4j.pcap.os.Native.LONG;
import static io.lb4j.pcap.os.Native.POINTER;

import io.lb4j.pcap.os.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Calls of the system that only this port needs. Each answers what the call answered, or -errno, where nothing else is
 * said. Safe from any thread.
 */
final class Syscalls {
  static final int EBUSY = 16;
  static final int EOPNOTSUPP = 95;

  private static final int MSG_DONTWAIT = 0x40;
  private static final long BPF_NUMBER = bpfNumber();
  private static final MethodHandle SYSCALL =
      Native.bind(
          Native.systemLibrary(),
          "syscall",
          FunctionDescriptor.of(LONG, LONG, LONG, POINTER, LONG),
          Native.ERRNO,
          Linker.Option.firstVariadicArg(1));
  private static final MethodHandle SENDTO =
      Native.bind(
          Native.systemLibrary(),
          "sendto",
          FunctionDescriptor.of(LONG, INT, POINTER, LONG, INT, POINTER, INT),
          Native.ERRNO);

  // Without errno, because these are called for every burst: see Libc.
  private static final MethodHandle SENDTO_ALONE =
      Native.bind(
          Native.systemLibrary(), "sendto", FunctionDescriptor.of(LONG, INT, POINTER, LONG, INT, POINTER, INT));
  private static final MethodHandle RECVMSG =
      Native.bind(Native.systemLibrary(), "recvmsg", FunctionDescriptor.of(LONG, INT, POINTER, INT));

  private Syscalls() {}

  /** The C library has no function for bpf(2). */
  private static long bpfNumber() {
    return switch (System.getProperty("os.arch")) {
      case "amd64", "x86_64" -> 321;
      default -> 280; // the numbers that newer architectures share: Arm, RISC-V
    };
  }

  static int bpf(int command, MemorySegment attributes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Native.callState(arena);
      long answer =
          (long) SYSCALL.invokeExact(
              state, BPF_NUMBER, (long) command, attributes.address(), attributes.byteSize());
      return Native.answer((int) answer, state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /**
   * Lets the kernel send what is in a socket's ring.
   *
   * @return whether it says that it is done; if not, {@link #kickAgain} says why
   */
  static boolean kick(int fd) {
    try {
      return (long) SENDTO_ALONE.invokeExact(fd, 0L, 0L, MSG_DONTWAIT, 0L, 0) >= 0;
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** As {@link #kick}, with the error in the answer. */
  static int kickAgain(int fd, MemorySegment state) {
    try {
      return Native.answer((int) (long) SENDTO.invokeExact(state, fd, 0L, 0L, MSG_DONTWAIT, 0L, 0), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /**
   * Takes a message with what comes beside it.
   *
   * @return its bytes; less than 0 when there is none
   */
  static int recvmsg(int fd, long message, int flags) {
    try {
      return (int) (long) RECVMSG.invokeExact(fd, message, flags | MSG_DONTWAIT);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }
}

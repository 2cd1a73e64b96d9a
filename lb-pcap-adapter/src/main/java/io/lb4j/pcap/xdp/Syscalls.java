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

/** Calls of the system that only this port needs. Each answers what the call answered, or -errno. Safe from any thread. */
final class Syscalls {
  static final int ENOENT = 2;
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
  private static final MethodHandle RECVMSG =
      Native.bind(
          Native.systemLibrary(), "recvmsg", FunctionDescriptor.of(LONG, INT, POINTER, INT), Native.ERRNO);

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

  /** Lets the kernel send what is in a socket's ring. */
  static int kick(int fd, MemorySegment state) {
    try {
      return Native.answer((int) (long) SENDTO.invokeExact(state, fd, 0L, 0L, MSG_DONTWAIT, 0L, 0), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  /** Takes a message with what comes beside it. */
  static int recvmsg(int fd, long message, int flags, MemorySegment state) {
    try {
      return Native.answer((int) (long) RECVMSG.invokeExact(state, fd, message, flags | MSG_DONTWAIT), state);
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }
}

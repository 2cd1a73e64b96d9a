package io.lb4j.pcap.xdp;

import io.lb4j.pcap.host.Capability;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Maps, programs and links of the kernel's bpf(2). All are file descriptors: what nobody holds any more is gone, also
 * when the process is killed. Safe from any thread.
 */
final class Bpf {
  static final int MAP_TYPE_LPM_TRIE = 11;
  static final int MAP_TYPE_XSKMAP = 17;
  static final int NO_PREALLOCATION = 1; // flag that tries need

  /** Flags of {@link #attach}. */
  static final int GENERIC_MODE = 1 << 1;

  static final int NATIVE_MODE = 1 << 2;

  private static final Set<Capability> RIGHTS =
      EnumSet.of(Capability.CAP_NET_ADMIN, Capability.CAP_NET_RAW, Capability.CAP_BPF);

  private static final int MAP_CREATE = 0;
  private static final int MAP_UPDATE = 2;
  private static final int MAP_DELETE = 3;
  private static final int PROG_LOAD = 5;
  private static final int PROG_TEST_RUN = 10;
  private static final int LINK_CREATE = 28;
  private static final int PROGRAM_TYPE_SOCKET_FILTER = 1;
  private static final int PROGRAM_TYPE_XDP = 6;
  private static final int ATTACH_TYPE_XDP = 37;
  private static final int LOG_SIZE = 256 * 1024;
  private static final int LOG_SHOWN = 2000;

  private Bpf() {}

  static int createMap(int type, int keySize, int valueSize, int entries, int flags, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(48, 8);
      attributes.set(Native.INT, 0, type);
      attributes.set(Native.INT, 4, keySize);
      attributes.set(Native.INT, 8, valueSize);
      attributes.set(Native.INT, 12, entries);
      attributes.set(Native.INT, 16, flags);
      attributes.setString(28, name);
      int fd = Syscalls.bpf(MAP_CREATE, attributes);
      if (fd < 0) {
        throw failure("bpf(BPF_MAP_CREATE " + name + ")", -fd, "the kernel may lack BPF, or memory");
      }
      return fd;
    }
  }

  /** Sets an entry; 0 or -errno. */
  static int update(int map, MemorySegment key, MemorySegment value) {
    return element(MAP_UPDATE, map, key, value.address());
  }

  /** Removes an entry; 0 or -errno. */
  static int delete(int map, MemorySegment key) {
    return element(MAP_DELETE, map, key, 0);
  }

  private static int element(int command, int map, MemorySegment key, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(32, 8);
      attributes.set(Native.INT, 0, map);
      attributes.set(Native.POINTER, 8, key.address());
      attributes.set(Native.POINTER, 16, value);
      return Syscalls.bpf(command, attributes);
    }
  }

  /** Loads an XDP program; what the verifier says against it is in the exception. */
  static int load(BpfAssembler program, String name) {
    return load(program, name, PROGRAM_TYPE_XDP, ATTACH_TYPE_XDP);
  }

  /** Loads a program that says how much of a frame a socket receives. */
  static int loadFilter(BpfAssembler program, String name) {
    return load(program, name, PROGRAM_TYPE_SOCKET_FILTER, 0);
  }

  private static int load(BpfAssembler program, String name, int type, int attachType) {
    try (Arena arena = Arena.ofConfined()) {
      long[] code = program.assemble();
      MemorySegment attributes = arena.allocate(72, 8);
      attributes.set(Native.INT, 0, type);
      attributes.set(Native.INT, 4, code.length);
      attributes.set(Native.POINTER, 8, arena.allocateFrom(Native.LONG, code).address());
      attributes.set(Native.POINTER, 16, arena.allocateFrom("Apache-2.0").address());
      attributes.setString(48, name);
      attributes.set(Native.INT, 68, attachType);
      int fd = Syscalls.bpf(PROG_LOAD, attributes);
      if (fd < 0) {
        MemorySegment log = arena.allocate(LOG_SIZE);
        attributes.set(Native.INT, 24, 1);
        attributes.set(Native.INT, 28, LOG_SIZE);
        attributes.set(Native.POINTER, 32, log.address());
        fd = Syscalls.bpf(PROG_LOAD, attributes);
        if (fd < 0) {
          throw failure("bpf(BPF_PROG_LOAD " + name + ")", -fd, refusal(log.getString(0)));
        }
      }
      return fd;
    }
  }

  private static String refusal(String log) {
    String end = log.length() > LOG_SHOWN ? "... " + log.substring(log.length() - LOG_SHOWN) : log;
    return end.isBlank() ? "the kernel may lack BPF" : "the verifier says: " + end.strip();
  }

  /** Attaches a program to an interface for as long as the link is open; -errno when it cannot. */
  static int attach(int program, int interfaceIndex, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(48, 8);
      attributes.set(Native.INT, 0, program);
      attributes.set(Native.INT, 4, interfaceIndex);
      attributes.set(Native.INT, 8, ATTACH_TYPE_XDP);
      attributes.set(Native.INT, 12, flags);
      return Syscalls.bpf(LINK_CREATE, attributes);
    }
  }

  /** Runs a program once on a frame of at least 14 bytes and answers its verdict. */
  static int run(int program, byte[] frame) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(frame.length + 1L);
      MemorySegment.copy(frame, 0, data, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, frame.length);
      MemorySegment attributes = arena.allocate(80, 8);
      attributes.set(Native.INT, 0, program);
      attributes.set(Native.INT, 8, frame.length);
      attributes.set(Native.POINTER, 16, data.address());
      attributes.set(Native.INT, 32, 1);
      int answer = Syscalls.bpf(PROG_TEST_RUN, attributes);
      if (answer < 0) {
        throw failure("bpf(BPF_PROG_TEST_RUN)", -answer, "the kernel may lack it");
      }
      return attributes.get(Native.INT, 4);
    }
  }

  static PortException failure(String call, int errno, String likelyCause) {
    boolean denied = errno == Libc.EPERM || errno == Libc.EACCES && !likelyCause.startsWith("the verifier");
    return Native.failure(denied ? Cause.NOT_PERMITTED : Cause.SYSTEM, call, errno, denied ? missingRights() : likelyCause);
  }

  private static String missingRights() {
    Set<Capability> held = Capability.effective();
    if (held.contains(Capability.CAP_SYS_ADMIN)) {
      held.add(Capability.CAP_BPF);
    }
    List<Capability> missing = RIGHTS.stream().filter(right -> !held.contains(right)).toList();
    if (missing.isEmpty()) {
      return "the process has all rights that XDP needs: a container, a security module or seccomp forbids it";
    }
    String names = String.join(" and ", missing.stream().map(Capability::name).toList());
    return "the process lacks " + names + "; run it as root, with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_BPF"
        + " (systemd), or with " + Capability.command(RIGHTS);
  }
}

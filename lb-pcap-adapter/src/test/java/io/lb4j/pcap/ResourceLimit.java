package io.lb4j.pcap;

import io.lb4j.pcap.os.Native;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/** What the system lets this process have (setrlimit(2)), and what it has. */
public enum ResourceLimit {
  /** Numbers of descriptors, of which the lowest free one is given out. */
  DESCRIPTORS(7),
  /** Bytes of address space. */
  ADDRESS_SPACE(9);

  private static final FunctionDescriptor TYPE = FunctionDescriptor.of(Native.INT, Native.INT, Native.POINTER);
  private static final MethodHandle GET = Native.bind(Native.systemLibrary(), "getrlimit", TYPE);
  private static final MethodHandle SET = Native.bind(Native.systemLibrary(), "setrlimit", TYPE);

  private final int number;

  ResourceLimit(int number) {
    this.number = number;
  }

  /** Does something under a limit. All threads of the process are under it meanwhile. */
  public <T> T under(long limit, Supplier<T> action) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment before = arena.allocate(16, 8); // rlimit: what holds, and up to where it may be raised again
      MemorySegment lower = arena.allocate(16, 8);
      call(GET, before);
      lower.copyFrom(before);
      lower.set(Native.LONG, 0, limit);
      call(SET, lower);
      try {
        return action.get();
      } finally {
        call(SET, before);
      }
    }
  }

  private void call(MethodHandle function, MemorySegment limit) {
    int answer;
    try {
      answer = (int) function.invokeExact(number, limit.address());
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
    if (answer != 0) {
      throw new IllegalStateException(this + " cannot be changed");
    }
  }

  /** Sockets, pipes, maps and programs that this process has open, as the system names them without their numbers. */
  public static List<String> open() {
    List<String> open = new ArrayList<>();
    for (File descriptor : Objects.requireNonNull(new File("/proc/self/fd").listFiles())) {
      try {
        String target = Files.readSymbolicLink(descriptor.toPath()).toString();
        if (!target.startsWith("/")) {
          open.add(target.replaceAll("[0-9]", ""));
        }
      } catch (IOException e) {
        // closed meanwhile
      }
    }
    open.sort(null);
    return open;
  }

  /** The lowest number that a descriptor may have that is opened next. */
  public static int nextDescriptor() {
    int next = 0;
    while (Files.exists(Path.of("/proc/self/fd", Integer.toString(next)), java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
      next++;
    }
    return next;
  }

  /** Bytes of address space that this process has. */
  public static long addressSpace() {
    return procLines("/proc/self/status").stream()
        .filter(line -> line.startsWith("VmSize:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }

  /** Mappings of sockets in this process. */
  public static long mappedRings() {
    return procLines("/proc/self/maps").stream().filter(line -> line.contains("socket:")).count();
  }

  private static List<String> procLines(String file) {
    try {
      return Files.readAllLines(Path.of(file));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}

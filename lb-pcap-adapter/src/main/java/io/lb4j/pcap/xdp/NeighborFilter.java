package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The classic BPF filter of the {@link NeighborTap}: ARP, neighbour discovery, groups' queries, and what answers
 * probes from the host's own addresses: echo replies and errors. With at most one VLAN tag in the bytes. Immutable.
 */
final class NeighborFilter {
  private static final int SOL_SOCKET = 1;
  private static final int SO_ATTACH_FILTER = 26;
  private static final int INSTRUCTION_SIZE = 8;

  private static final int LOAD_HALF = 0x28;
  private static final int LOAD_BYTE = 0x30;
  private static final int LOAD_BYTE_AT_X = 0x50;
  private static final int LOAD_HEADER_LENGTH = 0xB1; // x = 4 * (byte & 15)
  private static final int JUMP_IF_EQUAL = 0x15;
  private static final int JUMP_IF_ABOVE = 0x25;
  private static final int JUMP_IF_AT_LEAST = 0x35;
  private static final int RETURN = 0x06;
  private static final int WHOLE = 0x40000;

  private static final int ACCEPT = -1; // targets of jumps, resolved at the end
  private static final int REJECT = -2;

  private final List<int[]> code = new ArrayList<>(); // code, number, target if true, target if false

  private NeighborFilter() {
    load(LOAD_HALF, 12);
    int first = code.size();
    jump(JUMP_IF_EQUAL, 0x8100, 0, first + 1);
    jump(JUMP_IF_EQUAL, 0x88A8, 0, first + 2);
    packet(14);
    int tagged = code.size();
    code.get(first)[2] = tagged;
    code.get(first + 1)[2] = tagged;
    load(LOAD_HALF, 16);
    packet(18);
  }

  /** Looks at a packet whose type is loaded. */
  private void packet(int at) {
    jump(JUMP_IF_EQUAL, 0x0806, ACCEPT, next());
    int kind = code.size();
    jump(JUMP_IF_EQUAL, 0x0800, next(), 0);
    load(LOAD_BYTE, at + 9);
    jump(JUMP_IF_EQUAL, 1, next(), REJECT); // ICMP
    load(LOAD_HEADER_LENGTH, at);
    load(LOAD_BYTE_AT_X, at);
    jump(JUMP_IF_EQUAL, 0, ACCEPT, next()); // echo reply
    jump(JUMP_IF_AT_LEAST, 3, next(), REJECT); // unreachable
    jump(JUMP_IF_ABOVE, 5, next(), ACCEPT); // redirect
    jump(JUMP_IF_AT_LEAST, 11, next(), REJECT); // time exceeded
    jump(JUMP_IF_ABOVE, 12, REJECT, ACCEPT); // parameter problem
    code.get(kind)[3] = code.size();
    jump(JUMP_IF_EQUAL, 0x86DD, next(), REJECT);
    load(LOAD_BYTE, at + 6);
    int icmp = code.size();
    jump(JUMP_IF_EQUAL, 58, 0, next()); // ICMPv6
    jump(JUMP_IF_EQUAL, 0, next(), REJECT); // hop-by-hop options, as queries have
    load(LOAD_BYTE, at + 24);
    jump(JUMP_IF_EQUAL, 0xFF, ACCEPT, REJECT); // to a group
    code.get(icmp)[2] = code.size();
    load(LOAD_BYTE, at + 40);
    jump(JUMP_IF_ABOVE, 4, next(), ACCEPT); // errors: 1 to 4
    jump(JUMP_IF_EQUAL, 129, ACCEPT, next()); // echo reply
    jump(JUMP_IF_AT_LEAST, 133, next(), REJECT);
    jump(JUMP_IF_ABOVE, 137, REJECT, ACCEPT);
  }

  private int next() {
    return code.size() + 1;
  }

  private void load(int operation, int number) {
    code.add(new int[] {operation, number, code.size() + 1, code.size() + 1});
  }

  private void jump(int operation, int number, int ifTrue, int ifFalse) {
    code.add(new int[] {operation, number, ifTrue, ifFalse});
  }

  /** Lets a packet socket receive those frames alone; answers less than 0 when the kernel refuses. */
  static int attach(int fd) {
    NeighborFilter filter = new NeighborFilter();
    int accept = filter.code.size();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = arena.allocate((long) (accept + 2) * INSTRUCTION_SIZE, 8);
      for (int i = 0; i < accept; i++) {
        int[] instruction = filter.code.get(i);
        boolean jumps = (instruction[0] & 7) == 5;
        write(
            program,
            i,
            instruction[0],
            jumps ? distance(i, instruction[2], accept) : 0,
            jumps ? distance(i, instruction[3], accept) : 0,
            instruction[1]);
      }
      write(program, accept, RETURN, 0, 0, WHOLE);
      write(program, accept + 1, RETURN, 0, 0, 0);
      MemorySegment header = arena.allocate(16, 8); // sock_fprog
      header.set(Native.SHORT, 0, (short) (accept + 2));
      header.set(Native.POINTER, 8, program.address());
      return Libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, header);
    }
  }

  private static int distance(int from, int target, int accept) {
    return (target == ACCEPT ? accept : target == REJECT ? accept + 1 : target) - from - 1;
  }

  private static void write(MemorySegment program, int i, int operation, int ifTrue, int ifFalse, int number) {
    long at = (long) i * INSTRUCTION_SIZE; // sock_filter
    program.set(Native.SHORT, at, (short) operation);
    program.set(ValueLayout.JAVA_BYTE, at + 2, (byte) ifTrue);
    program.set(ValueLayout.JAVA_BYTE, at + 3, (byte) ifFalse);
    program.set(Native.INT, at + 4, number);
  }
}

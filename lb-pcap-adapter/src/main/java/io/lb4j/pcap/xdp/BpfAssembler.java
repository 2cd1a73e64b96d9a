package io.lb4j.pcap.xdp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts eBPF instructions together: numbers for the kernel, with labels for jumps, and a listing for people. Registers
 * are numbers: 0 is the answer of a call, 1 to 5 its arguments, 6 to 9 survive calls, 10 is the end of the stack. Owned
 * by one thread.
 */
final class BpfAssembler {
  /** The register that points to the end of the stack. */
  static final int FRAME = 10;

  /** Bytes of an instruction. */
  static final int INSTRUCTION_SIZE = 8;

  private static final int PSEUDO_MAP_FD = 1;

  private final List<Long> instructions = new ArrayList<>();
  private final List<String> texts = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();
  private final Map<Integer, String> jumps = new HashMap<>();

  /** Widths of memory accesses. */
  enum Width {
    BYTE(0x10, "u8"),
    SHORT(0x08, "u16"),
    INT(0x00, "u32"),
    LONG(0x18, "u64");

    final int bits;
    final String text;

    Width(int bits, String text) {
      this.bits = bits;
      this.text = text;
    }
  }

  private BpfAssembler add(int code, int to, int from, int offset, int immediate, String text) {
    instructions.add(
        code | (long) to << 8 | (long) from << 12 | (offset & 0xFFFFL) << 16 | (immediate & 0xFFFF_FFFFL) << 32);
    texts.add(text);
    return this;
  }

  BpfAssembler label(String name) {
    if (labels.put(name, instructions.size()) != null) {
      throw new IllegalArgumentException("label twice: " + name);
    }
    return this;
  }

  BpfAssembler load(Width width, int to, int base, int offset) {
    return add(0x61 | width.bits, to, base, offset, 0, "r%d = *(%s *)(r%d %+d)".formatted(to, width.text, base, offset));
  }

  BpfAssembler store(Width width, int base, int offset, int from) {
    return add(
        0x63 | width.bits, base, from, offset, 0, "*(%s *)(r%d %+d) = r%d".formatted(width.text, base, offset, from));
  }

  BpfAssembler storeNumber(Width width, int base, int offset, int number) {
    return add(
        0x62 | width.bits, base, 0, offset, number, "*(%s *)(r%d %+d) = %d".formatted(width.text, base, offset, number));
  }

  BpfAssembler set(int to, int number) {
    return add(0xB7, to, 0, 0, number, "r%d = %d".formatted(to, number));
  }

  BpfAssembler copy(int to, int from) {
    return add(0xBF, to, from, 0, 0, "r%d = r%d".formatted(to, from));
  }

  BpfAssembler plus(int to, int number) {
    return add(0x07, to, 0, 0, number, "r%d += %d".formatted(to, number));
  }

  BpfAssembler add(int to, int other) {
    return add(0x0F, to, other, 0, 0, "r%d += r%d".formatted(to, other));
  }

  BpfAssembler and(int to, int bits) {
    return add(0x57, to, 0, 0, bits, "r%d &= %d".formatted(to, bits));
  }

  BpfAssembler shiftLeft(int to, int bits) {
    return add(0x67, to, 0, 0, bits, "r%d <<= %d".formatted(to, bits));
  }

  BpfAssembler shiftRight(int to, int bits) {
    return add(0x77, to, 0, 0, bits, "r%d >>= %d".formatted(to, bits));
  }

  /** Puts the address of a map into a register: two instructions. */
  BpfAssembler map(int to, int mapFd, String name) {
    add(0x18, to, PSEUDO_MAP_FD, 0, mapFd, "r%d = map %s".formatted(to, name));
    return add(0, 0, 0, 0, 0, "");
  }

  BpfAssembler jump(String label) {
    return jump(0x05, 0, 0, 0, label, "goto " + label);
  }

  BpfAssembler jumpIfEqual(int register, int number, String label) {
    return jump(0x15, register, 0, number, label, "if r%d == %d goto %s".formatted(register, number, label));
  }

  BpfAssembler jumpIfNotEqual(int register, int number, String label) {
    return jump(0x55, register, 0, number, label, "if r%d != %d goto %s".formatted(register, number, label));
  }

  BpfAssembler jumpIfBelow(int register, int number, String label) {
    return jump(0xA5, register, 0, number, label, "if r%d < %d goto %s".formatted(register, number, label));
  }

  BpfAssembler jumpIfAbove(int register, int number, String label) {
    return jump(0x25, register, 0, number, label, "if r%d > %d goto %s".formatted(register, number, label));
  }

  BpfAssembler jumpIfBeyond(int register, int other, String label) {
    return jump(0x2D, register, other, 0, label, "if r%d > r%d goto %s".formatted(register, other, label));
  }

  private BpfAssembler jump(int code, int to, int from, int immediate, String label, String text) {
    jumps.put(instructions.size(), label);
    return add(code, to, from, 0, immediate, text);
  }

  BpfAssembler call(int function, String name) {
    return add(0x85, 0, 0, 0, function, "call " + name);
  }

  BpfAssembler exit() {
    return add(0x95, 0, 0, 0, 0, "exit");
  }

  /** The instructions as the kernel takes them, jumps resolved. */
  long[] assemble() {
    long[] code = instructions.stream().mapToLong(Long::longValue).toArray();
    jumps.forEach((at, label) -> code[at] |= (target(label) - at - 1 & 0xFFFFL) << 16);
    return code;
  }

  private int target(String label) {
    Integer target = labels.get(label);
    if (target == null) {
      throw new IllegalArgumentException("no label " + label);
    }
    return target;
  }

  /** The program to be read: a number per instruction, and the labels. */
  String listing() {
    StringBuilder listing = new StringBuilder();
    for (int i = 0; i < texts.size(); i++) {
      int at = i;
      labels.forEach((name, target) -> listing.append(target == at ? name + ":\n" : ""));
      if (!texts.get(i).isEmpty()) {
        listing.append("%4d  %s%n".formatted(i, texts.get(i)));
      }
    }
    return listing.toString();
  }
}

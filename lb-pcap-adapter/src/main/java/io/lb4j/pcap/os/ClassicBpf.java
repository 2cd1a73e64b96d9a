package io.lb4j.pcap.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts together a program of classic BPF, as sockets take it: an accumulator, an index register, and cells for what is
 * kept. A load beyond the bytes there are ends the program with 0. Jumps go forward, to labels. Owned by one thread.
 */
public final class ClassicBpf {
  private static final int INSTRUCTION_SIZE = 8; // struct sock_filter
  private static final int FARTHEST_JUMP = 255;

  private static final int BESIDE = 0xFFFF_F000; // SKF_AD_OFF: what the kernel knows of a frame
  private static final int PROTOCOL = 0;
  private static final int PACKET_TYPE = 4;

  private final List<Instruction> instructions = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();

  /** An instruction, which jumps to a label if its test is true, or goes on. */
  private record Instruction(int code, int number, String label) {
    private static final String NONE = "";
  }

  /** Widths of loads. */
  public enum Width {
    BYTE(0x10),
    SHORT(0x08),
    INT(0x00);

    private final int bits;

    Width(int bits) {
      this.bits = bits;
    }
  }

  private ClassicBpf add(int code, int number) {
    instructions.add(new Instruction(code, number, Instruction.NONE));
    return this;
  }

  private ClassicBpf jump(int code, int number, String label) {
    instructions.add(new Instruction(code, number, label));
    return this;
  }

  /** Marks the place of the next instruction. */
  public ClassicBpf label(String name) {
    if (labels.put(name, instructions.size()) != null) {
      throw new IllegalArgumentException("label twice: " + name);
    }
    return this;
  }

  /** A = bytes of the frame, which are in network order. */
  public ClassicBpf load(Width width, int offset) {
    return add(0x20 | width.bits, offset);
  }

  /** A = bytes of the frame, from where X says. */
  public ClassicBpf loadFromX(Width width, int offset) {
    return add(0x40 | width.bits, offset);
  }

  /** A = the frame's length. */
  public ClassicBpf loadLength() {
    return add(0x80, 0);
  }

  /** A = the type of what the frame carries, as in its Ethernet header behind the tag that was taken out. */
  public ClassicBpf loadProtocol() {
    return add(0x20, BESIDE + PROTOCOL);
  }

  /** A = for whom the frame is, as {@code PACKET_OUTGOING} of packet(7). */
  public ClassicBpf loadPacketType() {
    return add(0x20, BESIDE + PACKET_TYPE);
  }

  /** A = a number. */
  public ClassicBpf set(int number) {
    return add(0x00, number);
  }

  /** X = a number. */
  public ClassicBpf setX(int number) {
    return add(0x01, number);
  }

  /** X = the length of the IPv4 header that begins there. */
  public ClassicBpf setXToHeaderLength(int offset) {
    return add(0xB1, offset);
  }

  /** X = A. */
  public ClassicBpf copyToX() {
    return add(0x07, 0);
  }

  /** A = X. */
  public ClassicBpf copyFromX() {
    return add(0x87, 0);
  }

  /** Keeps A in a cell. */
  public ClassicBpf store(int cell) {
    return add(0x02, cell);
  }

  /** A = a cell. */
  public ClassicBpf recall(int cell) {
    return add(0x60, cell);
  }

  /** X = a cell. */
  public ClassicBpf recallX(int cell) {
    return add(0x61, cell);
  }

  public ClassicBpf plus(int number) {
    return add(0x04, number);
  }

  public ClassicBpf plusX() {
    return add(0x0C, 0);
  }

  public ClassicBpf times(int number) {
    return add(0x24, number);
  }

  /** A = what is left of A, unsigned. */
  public ClassicBpf modulo(int number) {
    return add(0x94, number);
  }

  public ClassicBpf xorX() {
    return add(0xAC, 0);
  }

  public ClassicBpf and(int bits) {
    return add(0x54, bits);
  }

  public ClassicBpf shiftLeft(int bits) {
    return add(0x64, bits);
  }

  public ClassicBpf shiftRight(int bits) {
    return add(0x74, bits);
  }

  public ClassicBpf jump(String label) {
    return jump(0x05, 0, label);
  }

  public ClassicBpf jumpIfEqual(int number, String label) {
    return jump(0x15, number, label);
  }

  /** Jumps if A is greater, unsigned. */
  public ClassicBpf jumpIfAbove(int number, String label) {
    return jump(0x25, number, label);
  }

  /** Jumps if A has one of the bits. */
  public ClassicBpf jumpIfAny(int bits, String label) {
    return jump(0x45, bits, label);
  }

  /** Ends with a number. */
  public ClassicBpf answer(int number) {
    return add(0x06, number);
  }

  /** Ends with A. */
  public ClassicBpf answer() {
    return add(0x16, 0);
  }

  /** The program as the kernel takes it ({@code struct sock_fprog}), jumps resolved. */
  MemorySegment assemble(Arena arena) {
    MemorySegment code = arena.allocate((long) instructions.size() * INSTRUCTION_SIZE, INSTRUCTION_SIZE);
    for (int i = 0; i < instructions.size(); i++) {
      Instruction instruction = instructions.get(i);
      boolean always = instruction.code == 0x05;
      int distance = instruction.label.equals(Instruction.NONE) ? 0 : distance(i, instruction.label);
      long at = (long) i * INSTRUCTION_SIZE;
      code.set(Native.SHORT, at, (short) instruction.code);
      code.set(Native.BYTE, at + 2, (byte) (always ? 0 : distance));
      code.set(Native.INT, at + 4, always ? distance : instruction.number);
    }
    MemorySegment program = arena.allocate(16, 8);
    program.set(Native.SHORT, 0, (short) instructions.size());
    program.set(Native.POINTER, 8, code.address());
    return program;
  }

  private int distance(int from, String label) {
    Integer target = labels.get(label);
    if (target == null || target <= from || target - from - 1 > FARTHEST_JUMP) {
      throw new IllegalArgumentException("no label within reach: " + label);
    }
    return target - from - 1;
  }
}

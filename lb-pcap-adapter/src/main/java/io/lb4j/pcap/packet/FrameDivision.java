package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.ClassicBpf;
import io.lb4j.pcap.os.ClassicBpf.Width;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IpProtocol;
import java.security.SecureRandom;

/**
 * Programs that choose a frame's socket. Those of a flow, of both its directions, belong to one queue: by a hash over
 * addresses and, of a TCP, UDP or SCTP packet that is no fragment, ports. Numbers that only the kernel and we know go
 * into it, so that nobody can choose ports that overload one queue. Frames without IP belong to the first. Static; used
 * by the control thread.
 */
final class FrameDivision {
  private static final int ADDRESSES = 0; // cells
  private static final int HASH = 1;
  private static final int IPV4_SOURCE = 12;
  private static final int IPV6_SOURCE = 8;
  private static final int IPV6_END = 40;
  private static final int ANY_FRAGMENT = 0x3FFF;
  private static final int SCTP = 132;
  private static final SecureRandom RANDOM = new SecureRandom();

  private FrameDivision() {}

  /** A socket for each queue. */
  static ClassicBpf byFlow(int queues) {
    ClassicBpf program = new ClassicBpf();
    queue(program, queues);
    return program.recall(HASH).answer();
  }

  /**
   * Two sockets for each queue: one for frames up to a length, with their Ethernet header, and one for longer ones
   * behind it.
   */
  static ClassicBpf byFlowAndLength(int queues, int longest) {
    ClassicBpf program = new ClassicBpf();
    queue(program, queues);
    program.loadLength().jumpIfAbove(longest - EthernetHeader.LENGTH, "long"); // what divides sees packets
    program.recall(HASH).times(2).answer();
    return program.label("long").recall(HASH).times(2).plus(1).answer();
  }

  /** Cell HASH = the queue. */
  private static void queue(ClassicBpf program, int queues) {
    if (queues > 1) {
      program.loadProtocol().jumpIfEqual(EthernetHeader.IPV4, "ipv4").jumpIfEqual(EthernetHeader.IPV6, "ipv6");
    }
    program.set(0).store(HASH);
    if (queues > 1) {
      program.jump("chosen");
      addresses4(program);
      addresses6(program);
      ports(program);
      program.label("addresses").recall(ADDRESSES);
      mix(program);
      program.modulo(queues).store(HASH).label("chosen");
    }
  }

  private static void addresses4(ClassicBpf program) {
    program.label("ipv4").load(Width.INT, IPV4_SOURCE).copyToX().load(Width.INT, IPV4_SOURCE + 4).xorX();
    program.store(ADDRESSES);
    program.load(Width.SHORT, 6).jumpIfAny(ANY_FRAGMENT, "addresses");
    program.setXToHeaderLength(0).load(Width.BYTE, 9).jump("protocol");
  }

  private static void addresses6(ClassicBpf program) {
    program.label("ipv6").load(Width.INT, IPV6_SOURCE);
    for (int word = IPV6_SOURCE + 4; word < IPV6_END; word += 4) {
      program.copyToX().load(Width.INT, word).xorX();
    }
    program.store(ADDRESSES).setX(IPV6_END).load(Width.BYTE, 6);
  }

  /** A = the protocol, X = the place of its header: puts ports into the cell of addresses. */
  private static void ports(ClassicBpf program) {
    program.label("protocol").jumpIfEqual(IpProtocol.TCP, "ports").jumpIfEqual(IpProtocol.UDP, "ports");
    program.jumpIfEqual(SCTP, "ports").jump("addresses");
    program.label("ports").loadFromX(Width.SHORT, 0).store(HASH).loadFromX(Width.SHORT, 2).recallX(HASH).xorX();
    program.times(odd()).recallX(ADDRESSES).xorX().store(ADDRESSES);
  }

  /** A = A, mixed well, less than 2^16. */
  private static void mix(ClassicBpf program) {
    program.xor(RANDOM.nextInt());
    for (int round = 0; round < 2; round++) {
      program.times(odd()).copyToX().shiftRight(15).xorX();
    }
    program.times(odd()).shiftRight(16);
  }

  private static int odd() {
    return RANDOM.nextInt() | 1;
  }
}

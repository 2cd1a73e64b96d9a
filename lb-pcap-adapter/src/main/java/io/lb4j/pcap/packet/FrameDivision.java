package io.lb4j.pcap.packet;

import io.lb4j.pcap.os.ClassicBpf;
import io.lb4j.pcap.os.ClassicBpf.Width;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import java.security.SecureRandom;

/**
 * Programs that choose a frame's socket. What concerns a flow, in both its directions, belongs to one queue: by a hash
 * over addresses and, with TCP and SCTP, ports. UDP goes by its addresses alone, as network cards do it, because its
 * packets may be in fragments, which tell no ports; so do fragments of the others. An ICMP error goes as the packet that
 * it quotes. Each word is multiplied by a number that only the kernel and we know, so that nobody can choose addresses or
 * ports that overload one queue. Frames that carry no IP right behind at most one VLAN tag belong to the first queue.
 * Owned by the control thread.
 */
final class FrameDivision {
  private static final int SUM = 0; // cells
  private static final int WORD = 1;
  private static final int PACKET = 2; // where the packet begins whose addresses count
  private static final int QUEUE = 3;
  private static final int WORDS = 4; // of an address
  private static final int ANY_FRAGMENT = 0x3FFF;
  private static final int SCTP = 132;
  private static final int[] ERRORS = {
    IcmpHeader.UNREACHABLE, IcmpHeader.SOURCE_QUENCH, IcmpHeader.REDIRECT, IcmpHeader.TIME_EXCEEDED,
    IcmpHeader.PARAMETER_PROBLEM
  };
  private static final int NO_ERROR = 0x80; // bit of ICMPv6 types (RFC 4443, section 2.1)
  private static final int QUOTED6 = Ipv6Header.LENGTH + IcmpHeader.LENGTH;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final ClassicBpf program = new ClassicBpf();
  private final int queues;
  private final int key = RANDOM.nextInt();
  private final int[] addressFactors = new int[WORDS];
  private final int portFactor = odd();

  FrameDivision(int queues) {
    this.queues = queues;
    for (int i = 0; i < WORDS; i++) {
      addressFactors[i] = odd();
    }
  }

  private static int odd() {
    return RANDOM.nextInt() | 1;
  }

  /** A socket for each queue. To be asked once. */
  ClassicBpf byFlow() {
    chooseQueue();
    return program.recall(QUEUE).answer();
  }

  /**
   * Two sockets for each queue: one for frames up to a length, with their Ethernet header, and one for longer ones
   * behind it. To be asked once.
   */
  ClassicBpf byFlowAndLength(int longest) {
    chooseQueue();
    program.loadLength().jumpIfAbove(longest - EthernetHeader.LENGTH, "long"); // what divides sees packets
    program.recall(QUEUE).times(2).answer();
    return program.label("long").recall(QUEUE).times(2).plus(1).answer();
  }

  private void chooseQueue() {
    if (queues > 1) {
      program.loadProtocol().jumpIfEqual(EthernetHeader.IPV4, "ipv4").jumpIfEqual(EthernetHeader.IPV6, "ipv6");
    }
    program.set(0).store(QUEUE);
    if (queues > 1) {
      program.jump("chosen");
      ipv4();
      ipv6();
      ports();
      program.label("added").recall(SUM);
      mix();
      program.modulo(queues).store(QUEUE).label("chosen");
    }
  }

  private void ipv4() {
    program.label("ipv4").set(0).store(PACKET);
    addAddresses(Ipv4Header.SOURCE_OFFSET, 1);
    program.load(Width.SHORT, Ipv4Header.FRAGMENT_OFFSET).jumpIfAny(ANY_FRAGMENT, "added");
    program.setXToHeaderLength(0).load(Width.BYTE, Ipv4Header.PROTOCOL_OFFSET);
    program.jumpIfEqual(IpProtocol.ICMP, "icmp").jump("protocol");
    program.label("icmp").loadFromX(Width.BYTE, 0);
    for (int type : ERRORS) {
      program.jumpIfEqual(type, "quote");
    }
    program.jump("added").label("quote").copyFromX().plus(IcmpHeader.LENGTH).store(PACKET);
    addAddresses(Ipv4Header.SOURCE_OFFSET, 1);
    program.recallX(PACKET).loadFromX(Width.SHORT, Ipv4Header.FRAGMENT_OFFSET).jumpIfAny(ANY_FRAGMENT, "added");
    program.loadFromX(Width.BYTE, 0).and(0xF).shiftLeft(2).plusX().store(WORD);
    program.loadFromX(Width.BYTE, Ipv4Header.PROTOCOL_OFFSET).recallX(WORD).jump("protocol");
  }

  private void ipv6() {
    program.label("ipv6").set(0).store(PACKET);
    addAddresses(Ipv6Header.SOURCE_OFFSET, WORDS);
    program.setX(Ipv6Header.LENGTH).load(Width.BYTE, Ipv6Header.NEXT_HEADER_OFFSET);
    program.jumpIfEqual(IpProtocol.ICMPV6, "icmp6").jump("protocol");
    program.label("icmp6").loadFromX(Width.BYTE, 0).jumpIfAny(NO_ERROR, "added");
    program.set(QUOTED6).store(PACKET);
    addAddresses(Ipv6Header.SOURCE_OFFSET, WORDS);
    program.setX(QUOTED6 + Ipv6Header.LENGTH).load(Width.BYTE, QUOTED6 + Ipv6Header.NEXT_HEADER_OFFSET);
  }

  /** Begins the sum with both addresses of a packet, whichever is the source. */
  private void addAddresses(int source, int words) {
    program.set(key).store(SUM);
    for (int i = 0; i < words; i++) {
      int word = source + Integer.BYTES * i;
      program.recallX(PACKET).loadFromX(Width.INT, word).store(WORD).loadFromX(Width.INT, word + Integer.BYTES * words);
      program.recallX(WORD).xorX();
      addToSum(addressFactors[i]);
    }
  }

  /** A = the protocol, X = where its header begins. */
  private void ports() {
    program.label("protocol").jumpIfEqual(IpProtocol.TCP, "ports").jumpIfEqual(SCTP, "ports").jump("added");
    program.label("ports").loadFromX(Width.SHORT, 0).store(WORD).loadFromX(Width.SHORT, 2).recallX(WORD).xorX();
    addToSum(portFactor);
  }

  private void addToSum(int factor) {
    program.times(factor).recallX(SUM).plusX().store(SUM);
  }

  /** A = A, mixed well, less than 2^16. */
  private void mix() {
    for (int round = 0; round < 2; round++) {
      program.times(odd()).copyToX().shiftRight(15).xorX();
    }
    program.times(odd()).shiftRight(16);
  }
}

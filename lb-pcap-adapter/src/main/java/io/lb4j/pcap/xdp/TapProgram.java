package io.lb4j.pcap.xdp;

import static io.lb4j.pcap.xdp.BpfAssembler.FRAME;

import io.lb4j.pcap.xdp.BpfAssembler.Width;

/**
 * The filter of the {@link NeighborTap}: which of the frames that the steering program leaves to the kernel are for the
 * balancer, too. ARP, neighbour discovery and groups' queries; what answers probes from the host's own addresses, echo
 * replies and errors; and what servers send as a virtual address to the host, which is what monitors of type dsr
 * wait for, and a verification beside. In at most two VLAN tags in the bytes. Static; used by the control thread.
 */
final class TapProgram {
  private static final int CALL_LOOKUP = 1;
  private static final int CALL_LOAD_BYTES = 26; // skb_load_bytes: of any frame, however it lies in memory
  private static final int WHOLE = 0x40000;
  private static final int NOTHING = 0;

  // Types as two bytes of the wire are read by a little-endian machine, as in SteeringProgram.
  private static final int TAG = 0x0081;
  private static final int SERVICE_TAG = 0xA888;
  private static final int ARP = 0x0608;
  private static final int IPV4 = 0x0008;
  private static final int IPV6 = 0xDD86;
  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;
  private static final int HOP_BY_HOP = 0;
  private static final int GROUPS = 0xFF; // the first byte of their addresses

  // The stack: a key for the prefixes, the addresses behind one another, and what was read last.
  private static final int KEY = -PrefixMap.KEY_SIZE;
  private static final int KEY_KIND = KEY + 4;
  private static final int KEY_ADDRESS = KEY + 8;
  private static final int READ = KEY - 40;

  private TapProgram() {}

  static BpfAssembler of(int prefixes) {
    BpfAssembler program = new BpfAssembler().copy(6, 1).set(7, 12);
    type(program);
    ipv4(program);
    ipv6(program);
    sides(program, prefixes);
    program.label("accept").set(0, WHOLE).exit();
    program.label("reject").set(0, NOTHING).exit();
    return program;
  }

  /** r6 = the frame, r7 = where the packet begins, in front of which its type was. */
  private static void type(BpfAssembler program) {
    for (String tag : new String[] {"tag1", "tag2"}) {
      read(program, 0, 2);
      program.load(Width.SHORT, 8, FRAME, READ);
      program.jumpIfEqual(8, TAG, tag).jumpIfEqual(8, SERVICE_TAG, tag).jump("packet").label(tag).plus(7, 4);
    }
    read(program, 0, 2);
    program.load(Width.SHORT, 8, FRAME, READ);
    program.label("packet").plus(7, 2).jumpIfEqual(8, ARP, "accept");
    program.jumpIfEqual(8, IPV4, "ipv4").jumpIfEqual(8, IPV6, "ipv6").jump("reject");
  }

  private static void ipv4(BpfAssembler program) {
    program.label("ipv4");
    read(program, 12, 8);
    program.load(Width.INT, 4, FRAME, READ).store(Width.INT, FRAME, READ + 8, 4); // 16 bytes each, as in a key
    program.load(Width.INT, 4, FRAME, READ + 4).store(Width.INT, FRAME, READ + 24, 4);
    program.storeNumber(Width.INT, FRAME, READ + 12, 0).storeNumber(Width.LONG, FRAME, READ + 16, 0);
    program.storeNumber(Width.INT, FRAME, READ + 28, 0).storeNumber(Width.LONG, FRAME, READ + 32, 0);
    program.set(8, PrefixMap.FAMILY_V4);
    read(program, 9, 1);
    program.load(Width.BYTE, 4, FRAME, READ).jumpIfNotEqual(4, ICMP, "sides");
    read(program, 0, 1);
    program.load(Width.BYTE, 4, FRAME, READ).and(4, 15).shiftLeft(4, 2).copy(9, 7).add(7, 4);
    read(program, 0, 1);
    program.copy(7, 9).load(Width.BYTE, 4, FRAME, READ).jumpIfEqual(4, 0, "accept"); // echo reply
    acceptBetween(program, 3, 5); // unreachable to redirect
    acceptBetween(program, 11, 12); // time exceeded, parameter problem
    program.jump("sides");
  }

  private static void ipv6(BpfAssembler program) {
    program.label("ipv6");
    read(program, 6, 1);
    program.load(Width.BYTE, 9, FRAME, READ);
    read(program, 40, 1, "addresses");
    program.load(Width.BYTE, 4, FRAME, READ).jumpIfNotEqual(9, ICMPV6, "addresses");
    program.jumpIfEqual(4, 129, "accept"); // echo reply
    acceptBetween(program, 0, 4); // errors
    acceptBetween(program, 133, 137); // neighbour discovery
    program.label("addresses");
    readTo(program, READ + 8, 8, 32, "reject");
    program.load(Width.BYTE, 4, FRAME, READ + 24).set(8, PrefixMap.FAMILY_V6).jumpIfNotEqual(9, HOP_BY_HOP, "sides");
    program.jumpIfEqual(4, GROUPS, "accept"); // as queries are
  }

  private static void acceptBetween(BpfAssembler program, int first, int last) {
    for (int type = first; type <= last; type++) {
      program.jumpIfEqual(4, type, "accept");
    }
  }

  /** r8 = the family; accepts what is from an address of ours to one of the host. */
  private static void sides(BpfAssembler program, int prefixes) {
    program.label("sides");
    lookUp(program, prefixes, READ + 8, PrefixMap.SOURCE);
    program.load(Width.INT, 4, 0, 0).and(4, PrefixMap.ALSO_TO_HOST).jumpIfEqual(4, 0, "reject");
    lookUp(program, prefixes, READ + 24, PrefixMap.DESTINATION);
    program.load(Width.INT, 4, 0, 0).jumpIfEqual(4, PrefixMap.HOST, "accept").jump("reject");
  }

  private static void lookUp(BpfAssembler program, int prefixes, int address, int kind) {
    program.storeNumber(Width.INT, FRAME, KEY, PrefixMap.KEY_BITS);
    program.copy(4, 8).plus(4, kind).store(Width.INT, FRAME, KEY_KIND, 4);
    program.load(Width.LONG, 4, FRAME, address).store(Width.LONG, FRAME, KEY_ADDRESS, 4);
    program.load(Width.LONG, 4, FRAME, address + 8).store(Width.LONG, FRAME, KEY_ADDRESS + 8, 4);
    program.map(1, prefixes, "prefixes").copy(2, FRAME).plus(2, KEY).call(CALL_LOOKUP, "map_lookup_elem");
    program.jumpIfEqual(0, 0, "reject");
  }

  private static void read(BpfAssembler program, int offset, int length) {
    read(program, offset, length, "reject");
  }

  private static void read(BpfAssembler program, int offset, int length, String otherwise) {
    readTo(program, READ, offset, length, otherwise);
  }

  /** Reads bytes of the packet to the stack; jumps where there are fewer. */
  private static void readTo(BpfAssembler program, int to, int offset, int length, String otherwise) {
    program.copy(1, 6).copy(2, 7).plus(2, offset).copy(3, FRAME).plus(3, to).set(4, length);
    program.call(CALL_LOAD_BYTES, "skb_load_bytes").jumpIfNotEqual(0, 0, otherwise);
  }
}

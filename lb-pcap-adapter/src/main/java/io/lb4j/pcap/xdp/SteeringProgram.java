package io.lb4j.pcap.xdp;

import static io.lb4j.pcap.xdp.BpfAssembler.FRAME;

import io.lb4j.pcap.xdp.BpfAssembler.Width;

/**
 * The program that runs for each frame of an interface: frames of ours go to the socket of their queue, all others to
 * the kernel. It looks at addresses only, never at ports or flows, so all fragments of a packet take one way.
 *
 * <p>A frame is ours when it is IP, in at most two VLAN tags, and its destination is claimed; or when it is sent to a
 * MAC address of ours, and its destination is a routed inside host, or its source is claimed and its destination no
 * address of the host. Of what the kernel gets and we need, the {@link NeighborTap} gives us a copy.
 */
final class SteeringProgram {
  /** What the program answers. */
  static final int PASS = 2;

  static final int REDIRECT = 4;

  private static final int CALL_LOOKUP = 1;
  private static final int CALL_REDIRECT = 51;
  private static final int CONTEXT_DATA = 0;
  private static final int CONTEXT_END = 4;
  private static final int CONTEXT_QUEUE = 16;

  // Types as two bytes of the wire are read by a little-endian machine; those are the only ones with these sockets here.
  private static final int TAG = 0x0081;
  private static final int SERVICE_TAG = 0xA888;
  private static final int IPV4 = 0x0008;
  private static final int IPV6 = 0xDD86;
  private static final int ICMPV6 = 58;
  private static final int FIRST_ND_TYPE = 133; // router solicitation
  private static final int LAST_ND_TYPE = 137; // redirect

  // The stack: a key for the prefixes, the packet's source, and what is known of its destination.
  private static final int KEY = -PrefixMap.KEY_SIZE;
  private static final int KEY_KIND = KEY + 4;
  private static final int KEY_ADDRESS = KEY + 8;
  private static final int SOURCE = KEY - 16;
  private static final int KNOWN = SOURCE - 8;

  private SteeringProgram() {}

  /** Gives all frames to the sockets. */
  static BpfAssembler everything(int sockets) {
    BpfAssembler program = new BpfAssembler().copy(9, 1);
    redirect(program, sockets);
    return program;
  }

  /** Gives frames of the claimed prefixes to the sockets. */
  static BpfAssembler of(int prefixes, int sockets) {
    BpfAssembler program = new BpfAssembler();
    ethernet(program);
    ipv4(program);
    ipv6(program);
    decide(program, prefixes);
    program.label("redirect");
    redirect(program, sockets);
    program.label("pass").set(0, PASS).exit();
    return program;
  }

  /** r6 = the frame, r7 = its end, r3 = the packet, r8 = the type. */
  private static void ethernet(BpfAssembler program) {
    program.copy(9, 1).load(Width.INT, 6, 1, CONTEXT_DATA).load(Width.INT, 7, 1, CONTEXT_END).copy(3, 6);
    program.plus(3, 14);
    program.jumpIfBeyond(3, 7, "pass").load(Width.SHORT, 8, 6, 12);
    for (String tag : new String[] {"tag1", "tag2"}) {
      program.jumpIfEqual(8, TAG, tag).jumpIfEqual(8, SERVICE_TAG, tag).jump("packet");
      program.label(tag).copy(2, 3).plus(2, 4).jumpIfBeyond(2, 7, "pass");
      program.load(Width.SHORT, 8, 3, 2).plus(3, 4);
    }
    program.label("packet").jumpIfEqual(8, IPV4, "ipv4").jumpIfEqual(8, IPV6, "ipv6").jump("pass");
  }

  private static void ipv4(BpfAssembler program) {
    program.label("ipv4").copy(2, 3).plus(2, 20).jumpIfBeyond(2, 7, "pass");
    program.load(Width.BYTE, 4, 3, 0).shiftRight(4, 4).jumpIfNotEqual(4, 4, "pass");
    program.load(Width.INT, 4, 3, 12).store(Width.INT, FRAME, SOURCE, 4);
    program.storeNumber(Width.INT, FRAME, SOURCE + 4, 0).storeNumber(Width.LONG, FRAME, SOURCE + 8, 0);
    program.load(Width.INT, 4, 3, 16).store(Width.INT, FRAME, KEY_ADDRESS, 4);
    program.storeNumber(Width.INT, FRAME, KEY_ADDRESS + 4, 0).storeNumber(Width.LONG, FRAME, KEY_ADDRESS + 8, 0);
    program.set(8, PrefixMap.FAMILY_V4).jump("decide");
  }

  private static void ipv6(BpfAssembler program) {
    program.label("ipv6").copy(2, 3).plus(2, 40).jumpIfBeyond(2, 7, "pass");
    program.load(Width.BYTE, 4, 3, 0).shiftRight(4, 4).jumpIfNotEqual(4, 6, "pass");
    program.load(Width.BYTE, 4, 3, 6).jumpIfNotEqual(4, ICMPV6, "addresses");
    program.copy(2, 3).plus(2, 41).jumpIfBeyond(2, 7, "addresses").load(Width.BYTE, 4, 3, 40);
    program.jumpIfBelow(4, FIRST_ND_TYPE, "addresses").jumpIfAbove(4, LAST_ND_TYPE, "addresses").jump("pass");
    program.label("addresses");
    program.load(Width.LONG, 4, 3, 8).store(Width.LONG, FRAME, SOURCE, 4);
    program.load(Width.LONG, 4, 3, 16).store(Width.LONG, FRAME, SOURCE + 8, 4);
    program.load(Width.LONG, 4, 3, 24).store(Width.LONG, FRAME, KEY_ADDRESS, 4);
    program.load(Width.LONG, 4, 3, 32).store(Width.LONG, FRAME, KEY_ADDRESS + 8, 4);
    program.set(8, PrefixMap.FAMILY_V6);
  }

  /** r8 = the family; the destination is in the key. */
  private static void decide(BpfAssembler program, int prefixes) {
    program.label("decide").storeNumber(Width.INT, FRAME, KEY, PrefixMap.KEY_BITS);
    program.storeNumber(Width.LONG, FRAME, KNOWN, 0).copy(4, 8).plus(4, PrefixMap.DESTINATION);
    lookUp(program.store(Width.INT, FRAME, KEY_KIND, 4), prefixes);
    program.jumpIfEqual(0, 0, "foreign").load(Width.INT, 4, 0, 0).jumpIfEqual(4, PrefixMap.CLAIMED, "redirect");
    program.store(Width.LONG, FRAME, KNOWN, 4);

    program.label("foreign").storeNumber(Width.INT, FRAME, KEY_KIND, PrefixMap.MAC);
    program.load(Width.INT, 4, 6, 0).store(Width.INT, FRAME, KEY_ADDRESS, 4);
    program.load(Width.SHORT, 4, 6, 4).store(Width.INT, FRAME, KEY_ADDRESS + 4, 4);
    lookUp(program.storeNumber(Width.LONG, FRAME, KEY_ADDRESS + 8, 0), prefixes);
    program.jumpIfEqual(0, 0, "pass");
    program.load(Width.LONG, 4, FRAME, KNOWN).jumpIfEqual(4, PrefixMap.ROUTED, "redirect");

    program.load(Width.LONG, 4, FRAME, SOURCE).store(Width.LONG, FRAME, KEY_ADDRESS, 4);
    program.load(Width.LONG, 4, FRAME, SOURCE + 8).store(Width.LONG, FRAME, KEY_ADDRESS + 8, 4);
    program.copy(4, 8).plus(4, PrefixMap.SOURCE);
    lookUp(program.store(Width.INT, FRAME, KEY_KIND, 4), prefixes);
    program.jumpIfEqual(0, 0, "pass");
    program.load(Width.LONG, 4, FRAME, KNOWN).jumpIfNotEqual(4, 0, "pass");
  }

  private static void lookUp(BpfAssembler program, int prefixes) {
    program.map(1, prefixes, "prefixes").copy(2, FRAME).plus(2, KEY).call(CALL_LOOKUP, "map_lookup_elem");
  }

  /** A queue without a socket leaves its frames to the kernel. r9 = the context. */
  private static void redirect(BpfAssembler program, int sockets) {
    program.map(1, sockets, "sockets").load(Width.INT, 2, 9, CONTEXT_QUEUE).set(3, PASS);
    program.call(CALL_REDIRECT, "redirect_map").exit();
  }
}

package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;

/**
 * A frame that came because of a question of ours. Immutable.
 *
 * @param aspect what it is to the question
 * @param link index of the interface
 * @param mac of whoever sent the frame
 * @param source the packet's source; of ARP and neighbour discovery the address that it is about
 * @param timeToLive of the packet; 0 for ARP
 * @param tcpFlags of a TCP segment
 * @param icmpType of an ICMP message
 * @param icmpCode of an ICMP message
 * @param frame a copy
 */
record Answer(
    Aspect aspect,
    int link,
    long mac,
    IpAddress source,
    int timeToLive,
    int tcpFlags,
    int icmpType,
    int icmpCode,
    byte[] frame) {
  /** What a frame is to a question. */
  enum Aspect {
    /** What was asked for: an echo reply, a SYN with ACK, a reset, a datagram, an ARP reply. */
    REPLY,
    /** The beginning of a reply that came in fragments. */
    FRAGMENT,
    /** An ICMP error about it. */
    ERROR,
    /** An ICMP redirect about it. */
    REDIRECT,
    /** The question itself, sent on by whoever got it. */
    RETURNED
  }

  static Answer of(Aspect aspect, FrameView view, IpAddress source) {
    byte[] copy = new byte[view.length()];
    view.buffer().getBytes(view.start(), copy);
    boolean icmp = view.kind() == FrameKind.ICMP;
    return new Answer(
        aspect,
        view.ingress(),
        view.sourceMac(),
        source,
        view.kind() == FrameKind.ARP ? 0 : timeToLive(view),
        view.kind() == FrameKind.SEGMENT ? view.tcpFlags() : 0,
        icmp ? view.icmpType() : 0,
        icmp ? view.icmpCode() : 0,
        copy);
  }

  private static int timeToLive(FrameView view) {
    int offset = view.isV6() ? Ipv6Header.HOP_LIMIT_OFFSET : Ipv4Header.TIME_TO_LIVE_OFFSET;
    return view.buffer().getUnsignedByte(view.network() + offset);
  }

  /** Whether its source says something itself, instead of sending on what was said. */
  boolean isSpoken() {
    return aspect == Aspect.REPLY || aspect == Aspect.ERROR || aspect == Aspect.FRAGMENT;
  }

  boolean isReset() {
    return (tcpFlags & TcpHeader.RST) != 0;
  }

  /** Whether an ICMP error says that nobody listens there. */
  boolean saysClosed() {
    return aspect == Aspect.ERROR
        && (source.isV6()
            ? icmpType == IcmpHeader.V6_UNREACHABLE && icmpCode == 4
            : icmpType == IcmpHeader.UNREACHABLE && (icmpCode == 2 || icmpCode == 3));
  }

  /** Whether an ICMP error says that a filter forbids it. */
  boolean saysProhibited() {
    return aspect == Aspect.ERROR
        && (source.isV6()
            ? icmpType == IcmpHeader.V6_UNREACHABLE && (icmpCode == 1 || icmpCode == 5 || icmpCode == 6)
            : icmpType == IcmpHeader.UNREACHABLE && (icmpCode == 9 || icmpCode == 10 || icmpCode == 13));
  }

  /** Whether an ICMP error says that the packet was too big. */
  boolean saysTooBig() {
    return aspect == Aspect.ERROR
        && (source.isV6()
            ? icmpType == IcmpHeader.V6_PACKET_TOO_BIG
            : icmpType == IcmpHeader.UNREACHABLE && icmpCode == 4);
  }

  static String errorWords(boolean v6, int type, int code) {
    if (type == (v6 ? IcmpHeader.V6_TIME_EXCEEDED : IcmpHeader.TIME_EXCEEDED)) {
      return "time to live exceeded";
    }
    if (v6 && type == IcmpHeader.V6_PACKET_TOO_BIG) {
      return "packet too big";
    }
    if (type != (v6 ? IcmpHeader.V6_UNREACHABLE : IcmpHeader.UNREACHABLE)) {
      return "an error";
    }
    return v6 ? unreachable6(code) : unreachable4(code);
  }

  private static String unreachable4(int code) {
    return switch (code) {
      case 2 -> "protocol unreachable";
      case 3 -> "port unreachable";
      case 4 -> "fragmentation needed";
      case 9, 10, 13 -> "administratively prohibited";
      default -> "host or network unreachable";
    };
  }

  private static String unreachable6(int code) {
    return switch (code) {
      case 1, 5, 6 -> "administratively prohibited";
      case 4 -> "port unreachable";
      default -> "host or network unreachable";
    };
  }
}

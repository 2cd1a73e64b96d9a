package io.lb4j.dataplane;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.IcmpHeader;

/**
 * What an ICMP error tells about the packet that it quotes (RFC 792, RFC 1812; RFC 4443). Immutable, shared.
 *
 * @param kind what follows from it
 * @param words for people
 */
record ProbeError(Kind kind, String words) {
  /** What follows from an error. */
  enum Kind {
    /** Nobody listens there. */
    CLOSED,
    /** A filter refuses it. */
    PROHIBITED,
    /** It did not get there. */
    NO_WAY,
    /** Nothing, for a packet as small as a probe. */
    NOTHING
  }

  private static final ProbeError NOTHING = new ProbeError(Kind.NOTHING, "");
  private static final ProbeError PORT = new ProbeError(Kind.CLOSED, "port unreachable");
  private static final ProbeError PROTOCOL = new ProbeError(Kind.CLOSED, "protocol unreachable");
  private static final ProbeError FILTERED = new ProbeError(Kind.PROHIBITED, "administratively prohibited");
  private static final ProbeError NETWORK = new ProbeError(Kind.NO_WAY, "no route to the network");
  private static final ProbeError HOST = new ProbeError(Kind.NO_WAY, "host unreachable");
  private static final ProbeError TIME = new ProbeError(Kind.NO_WAY, "time to live exceeded");

  /** Reads an error. */
  static ProbeError of(FrameView view) {
    return view.isV6() ? of6(view.icmpType(), view.icmpCode()) : of4(view.icmpType(), view.icmpCode());
  }

  private static ProbeError of4(int type, int code) {
    if (type == IcmpHeader.TIME_EXCEEDED) {
      return TIME;
    }
    if (type != IcmpHeader.UNREACHABLE) {
      return NOTHING;
    }
    return switch (code) {
      case 0, 6, 11 -> NETWORK;
      case 2 -> PROTOCOL;
      case 3 -> PORT;
      case 4 -> NOTHING; // fragmentation needed
      case 9, 10, 13 -> FILTERED;
      default -> HOST;
    };
  }

  private static ProbeError of6(int type, int code) {
    if (type == IcmpHeader.V6_TIME_EXCEEDED) {
      return TIME;
    }
    if (type == IcmpHeader.V6_PARAMETER_PROBLEM) {
      return code == 1 ? PROTOCOL : NOTHING;
    }
    if (type != IcmpHeader.V6_UNREACHABLE) {
      return NOTHING;
    }
    return switch (code) {
      case 0 -> NETWORK;
      case 1, 5, 6 -> FILTERED;
      case 4 -> PORT;
      default -> HOST;
    };
  }
}

package io.lb4j.neighbor;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.ListenerMessage;
import io.lb4j.wire.NeighborMessage;
import io.netty.buffer.ByteBuf;

/**
 * Whether a received message may be believed: neighbour discovery as RFC 4861, sections 6.1, 7.1 and 8.1 demand (and
 * never fragmented, RFC 6980), MLD as RFC 3810, sections 5.1.14, 5.2.13 and 6.2. Static; reads only inside the packet.
 */
final class NeighborMessageCheck {
  private static final int ND_HOP_LIMIT = 255;
  private static final int MLD_HOP_LIMIT = 1;
  private static final int ROUTER_ALERT_OPTION = 5;
  private static final int PAD1_OPTION = 0;

  private NeighborMessageCheck() {}

  /** Whether the message stands every check of its type. */
  static boolean isValid(FrameView view) {
    int type = view.icmpType();
    boolean discovery = type >= IcmpHeader.V6_ROUTER_SOLICITATION && type <= IcmpHeader.V6_REDIRECT;
    int length = view.networkEnd() - view.transport();
    int hopLimit = view.buffer().getUnsignedByte(view.network() + Ipv6Header.HOP_LIMIT_OFFSET);
    return hopLimit == (discovery ? ND_HOP_LIMIT : MLD_HOP_LIMIT)
        && length >= leastLength(type)
        && isChecksumRight(view, length)
        && (discovery ? isDiscoveryValid(view, type) : isListenerMessageValid(view, type, length));
  }

  private static int leastLength(int type) {
    return switch (type) {
      case IcmpHeader.V6_ROUTER_SOLICITATION, IcmpHeader.V6_LISTENER_REPORT -> 8;
      case IcmpHeader.V6_ROUTER_SOLICITATION + 1 -> 16; // router advertisement
      case IcmpHeader.V6_REDIRECT -> 40;
      default -> NeighborMessage.LENGTH; // and the messages of MLD version 1, which are as long
    };
  }

  private static boolean isChecksumRight(FrameView view, int length) {
    if ((view.marks() & FrameMarks.CHECKSUM_PARTIAL) != 0) {
      return true; // sent by a host on this machine, never on a wire
    }
    long sum = InternetChecksum.pseudoHeader6(view.buffer(), view.network(), IpProtocol.ICMPV6, length);
    return InternetChecksum.fold(InternetChecksum.sum(view.buffer(), view.transport(), length, sum)) == 0xFFFF;
  }

  private static boolean isDiscoveryValid(FrameView view, int type) {
    int options = view.transport() + leastLength(type);
    return view.icmpCode() == 0
        && NeighborMessage.areOptionsValid(view.buffer(), options, view.networkEnd())
        && !wasFragmented(view)
        && switch (type) {
          case IcmpHeader.V6_NEIGHBOR_SOLICITATION -> isSolicitationValid(view, options);
          case IcmpHeader.V6_NEIGHBOR_ADVERTISEMENT -> isAdvertisementValid(view);
          case IcmpHeader.V6_ROUTER_SOLICITATION -> !isSourceUnspecified(view) || !namesSource(view, options);
          default -> isLinkLocal(view.sourceHigh()); // router advertisement, redirect
        };
  }

  /** RFC 4861, section 7.1.1. */
  private static boolean isSolicitationValid(FrameView view, int options) {
    boolean toGroup = view.destinationHigh() == 0xFF02_0000_0000_0000L
        && view.destinationLow() >>> 24 == 0x1_FFL;
    return !isTargetMulticast(view) && (!isSourceUnspecified(view) || toGroup && !namesSource(view, options));
  }

  /** RFC 4861, section 7.1.2. */
  private static boolean isAdvertisementValid(FrameView view) {
    boolean toGroup = view.destinationHigh() >>> 56 == 0xFF;
    boolean solicited = (NeighborMessage.flags(view.buffer(), view.transport()) & NeighborMessage.SOLICITED) != 0;
    return !isTargetMulticast(view) && !isSourceUnspecified(view) && !(toGroup && solicited);
  }

  private static boolean isTargetMulticast(FrameView view) {
    return NeighborMessage.targetHigh(view.buffer(), view.transport()) >>> 56 == 0xFF;
  }

  private static boolean isSourceUnspecified(FrameView view) {
    return (view.sourceHigh() | view.sourceLow()) == 0;
  }

  private static boolean namesSource(FrameView view, int options) {
    return NeighborMessage.linkLayerAddress(
            view.buffer(), options, view.networkEnd(), NeighborMessage.SOURCE_LINK_LAYER)
        != NeighborMessage.NO_ADDRESS;
  }

  private static boolean isLinkLocal(long high) {
    return high >>> 54 == 0x3FA;
  }

  /** Whether a fragment header stands before the message; the parser walked the same chain within its bounds. */
  private static boolean wasFragmented(FrameView view) {
    int header = view.buffer().getUnsignedByte(view.network() + Ipv6Header.NEXT_HEADER_OFFSET);
    int at = view.network() + Ipv6Header.LENGTH;
    while (at < view.transport() && header != IpProtocol.FRAGMENT) {
      int units = view.buffer().getUnsignedByte(at + 1);
      int length = header == IpProtocol.AUTHENTICATION ? units + 2 << 2 : units + 1 << 3;
      header = view.buffer().getUnsignedByte(at);
      at += length;
    }
    return header == IpProtocol.FRAGMENT;
  }

  private static boolean isListenerMessageValid(FrameView view, int type, int length) {
    if (type != IcmpHeader.V6_LISTENER_QUERY) {
      return isLinkLocal(view.sourceHigh()) || isSourceUnspecified(view);
    }
    boolean knownVersion = length == ListenerMessage.V1_LENGTH || length >= ListenerMessage.QUERY_LENGTH;
    return knownVersion && isLinkLocal(view.sourceHigh()) && hasRouterAlert(view);
  }

  private static boolean hasRouterAlert(FrameView view) {
    ByteBuf buffer = view.buffer();
    int options = view.network() + Ipv6Header.LENGTH;
    if (buffer.getUnsignedByte(view.network() + Ipv6Header.NEXT_HEADER_OFFSET) != IpProtocol.HOP_BY_HOP) {
      return false;
    }
    int end = Math.min(view.transport(), options + (buffer.getUnsignedByte(options + 1) + 1 << 3));
    int at = options + 2;
    while (at + 1 < end) {
      int option = buffer.getUnsignedByte(at);
      if (option == ROUTER_ALERT_OPTION) {
        return true;
      }
      at += option == PAD1_OPTION ? 1 : 2 + buffer.getUnsignedByte(at + 1);
    }
    return false;
  }
}

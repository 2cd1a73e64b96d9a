package io.lb4j.gateway.nat;

import io.lb4j.forward.Egress;
import io.lb4j.forward.Hairpin;
import io.lb4j.forward.IcmpErrors;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.PartialChecksum;
import io.lb4j.frame.Segmenter;
import io.lb4j.frame.Segments;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * The way out, as a router has it: time to live, size, fragments (RFC 1812, section 5.2.7 and 5.3.1; RFC 8200, section
 * 5). What is refused is told to the sender about the packet as it came, so all is looked at before anything is
 * rewritten. Owned by one worker.
 */
final class Departure {
  private static final int TIME_EXCEEDED_IN_TRANSIT = 0;
  private static final int NETWORK_UNREACHABLE = 0; // ICMPv6: no route
  private static final int FRAGMENTATION_NEEDED = 4;
  private static final int COPIED_OPTION = 0x80;
  private static final int END_OF_OPTIONS = 0;
  private static final int NO_OPERATION = 1;

  private final Egress egress;
  private final Hairpin loop;
  private final IcmpErrors errors;
  private final ByteBufAllocator allocator;
  private final FrameView piece = new FrameView();
  private final FrameView segment = new FrameView();
  private final Segmenter segmenter = new Segmenter();
  private FrameOutput out;

  Departure(Egress egress, Hairpin loop, IcmpErrors errors, ByteBufAllocator allocator) {
    this.egress = egress;
    this.loop = loop;
    this.errors = errors;
    this.allocator = allocator;
  }

  void begin(FrameOutput burstOut) {
    this.out = burstOut;
  }

  long route(Tuple to) {
    return egress.route(to.v6, to.destinationHigh, to.destinationLow);
  }

  /** Why a packet cannot leave by a route, told to its sender; null when it can. */
  Verdict refusal(FrameView view, long route) {
    if (hasNoLife(view)) {
      return timeExceeded(view);
    }
    if (route == Egress.NO_ROUTE) {
      errors.send(view, unreachable(view), NETWORK_UNREACHABLE, 0);
      return Verdict.NO_ROUTE;
    }
    int mtu = egress.mtu(Egress.linkOf(route));
    return Segments.packetLength(view) <= mtu || mayFragment(view) ? null : tooBig(view, mtu);
  }

  /** The type "destination unreachable" of the packet's family. */
  static int unreachable(FrameView view) {
    return view.isV6() ? IcmpHeader.V6_UNREACHABLE : IcmpHeader.UNREACHABLE;
  }

  static boolean hasNoLife(FrameView view) {
    int at = view.network() + (view.isV6() ? 7 : Ipv4Header.TIME_TO_LIVE_OFFSET);
    return view.getUnsignedByte(at) <= 1;
  }

  Verdict timeExceeded(FrameView view) {
    int type = view.isV6() ? IcmpHeader.V6_TIME_EXCEEDED : IcmpHeader.TIME_EXCEEDED;
    errors.send(view, type, TIME_EXCEEDED_IN_TRANSIT, 0);
    return Verdict.TIME_EXCEEDED;
  }

  private Verdict tooBig(FrameView view, int mtu) {
    if (view.isV6()) {
      errors.send(view, IcmpHeader.V6_PACKET_TOO_BIG, 0, mtu);
    } else {
      errors.send(view, IcmpHeader.UNREACHABLE, FRAGMENTATION_NEEDED, mtu);
    }
    return Verdict.PACKET_TOO_BIG;
  }

  private static boolean mayFragment(FrameView view) {
    return !view.isV6()
        && ((view.marks() & FrameMarks.GSO) == 0 || Segments.areClear(view))
        && (flags(view) & Ipv4Header.DONT_FRAGMENT) == 0;
  }

  private static int flags(FrameView view) {
    return view.getUnsignedShort(view.network() + Ipv4Header.FRAGMENT_OFFSET);
  }

  /** To be called before a packet is rewritten that will be cut: its checksum cannot be finished afterwards. */
  void prepare(FrameView view, long route) {
    boolean whole = (view.marks() & FrameMarks.GSO) == 0; // a super-frame's segments get theirs when they are cut
    if (whole && Segments.packetLength(view) > egress.mtu(Egress.linkOf(route))) {
      PartialChecksum.complete(view);
    }
  }

  /** Sends a packet that {@link #refusal} let pass and that is rewritten. */
  Verdict send(FrameView view, long route) {
    int link = Egress.linkOf(route);
    int neighbor = Egress.neighborOf(route);
    if (Segments.packetLength(view) <= egress.mtu(link)) {
      return egress.send(view, link, neighbor);
    }
    boolean whole = (view.marks() & FrameMarks.GSO) == 0;
    return whole ? fragment(view, link, neighbor) : fragmentSegments(view, link, neighbor);
  }

  /** Sends a packet whose destination is ours round again. */
  Verdict sendAround(FrameView view) {
    return loop.again(view);
  }

  // ---- fragmentation (RFC 791, section 3.2) --------------------------------------------------------------------

  private Verdict fragment(FrameView view, int link, int neighbor) {
    ByteBuf buffer = view.buffer();
    int ip = view.network();
    int headerLength = Ipv4Header.headerLength(buffer, ip);
    int flags = flags(view);
    int data = ip + headerLength;
    int end = view.networkEnd();
    int offset = flags & Ipv4Header.OFFSET_MASK;
    boolean lastHasMore = (flags & Ipv4Header.MORE_FRAGMENTS) != 0;
    boolean first = true;
    while (data < end) {
      int header = first ? headerLength : Ipv4Header.MINIMUM_LENGTH + copiedOptions(buffer, ip, headerLength, null, 0);
      int room = egress.mtu(link) - header & ~7;
      int length = Math.min(room, end - data);
      boolean more = data + length < end || lastHasMore;
      ByteBuf fragment = cut(view, header, first, data, length, offset | (more ? Ipv4Header.MORE_FRAGMENTS : 0));
      Verdict verdict = sendPiece(fragment, view, link, neighbor);
      if (verdict.isDrop() && first) {
        return verdict;
      }
      first = false;
      data += length;
      offset += length >>> 3;
    }
    view.setEgress(-1);
    return Verdict.FORWARD;
  }

  /** A super-frame whose segments are too long, of a sender that lets them be cut further. */
  private Verdict fragmentSegments(FrameView view, int link, int neighbor) {
    int segments = segmenter.begin(view.buffer(), view.start(), view.length(), view.marks());
    for (int i = 0; i < segments; i++) {
      ByteBuf copy = allocator.buffer(segmenter.longest(), segmenter.longest());
      copy.writerIndex(segmenter.next(copy, 0));
      segment.wrap(copy, 0, copy.readableBytes(), segmenter.marks(), -1);
      segment.setTag(view.tag());
      FrameParser.parseAgain(segment);
      Verdict verdict = fragment(segment, link, neighbor);
      copy.release();
      if (verdict.isDrop() && i == 0) {
        return verdict;
      }
    }
    view.setEgress(-1);
    return Verdict.FORWARD;
  }

  private ByteBuf cut(FrameView view, int header, boolean first, int data, int length, int offsetAndMore) {
    ByteBuf buffer = view.buffer();
    int linkHeader = view.network() - view.start();
    int size = linkHeader + header + length;
    ByteBuf fragment = allocator.buffer(size, size);
    fragment.writeBytes(buffer, view.start(), linkHeader);
    if (first) {
      fragment.writeBytes(buffer, view.network(), header);
    } else {
      fragment.writeBytes(buffer, view.network(), Ipv4Header.MINIMUM_LENGTH);
      fragment.writeZero(header - Ipv4Header.MINIMUM_LENGTH);
      copiedOptions(
          buffer,
          view.network(),
          Ipv4Header.headerLength(buffer, view.network()),
          fragment,
          linkHeader + Ipv4Header.MINIMUM_LENGTH);
      fragment.setByte(linkHeader, 0x40 | header >>> 2);
    }
    fragment.writeBytes(buffer, data, length);
    fragment.setShort(linkHeader + Ipv4Header.TOTAL_LENGTH_OFFSET, header + length);
    fragment.setShort(linkHeader + Ipv4Header.FRAGMENT_OFFSET, offsetAndMore);
    Ipv4Header.updateChecksum(fragment, linkHeader);
    return fragment;
  }

  /** The options that every fragment carries, padded to words: writes them when there is a target; answers bytes. */
  private static int copiedOptions(ByteBuf buffer, int ip, int headerLength, ByteBuf target, int targetIndex) {
    int at = ip + Ipv4Header.MINIMUM_LENGTH;
    int end = ip + headerLength;
    int copied = 0;
    while (at < end) {
      int option = buffer.getUnsignedByte(at);
      if (option == END_OF_OPTIONS) {
        break;
      }
      int length = option == NO_OPERATION ? 1 : at + 1 < end ? buffer.getUnsignedByte(at + 1) : 0;
      if (length < 1 || option != NO_OPERATION && length < 2 || at + length > end) {
        break;
      }
      if ((option & COPIED_OPTION) != 0) {
        if (target != null) {
          target.setBytes(targetIndex + copied, buffer, at, length);
        }
        copied += length;
      }
      at += length;
    }
    return copied + 3 & ~3;
  }

  private Verdict sendPiece(ByteBuf fragment, FrameView of, int link, int neighbor) {
    piece.wrap(fragment, 0, fragment.readableBytes(), of.marks() & ~FrameMarks.CHECKSUM_PARTIAL, -1);
    piece.setTag(of.tag());
    Verdict verdict = egress.send(piece, link, neighbor);
    if (verdict == Verdict.FORWARD) {
      out.transmit(link, fragment, piece.marks());
    } else {
      fragment.release();
    }
    return verdict;
  }
}

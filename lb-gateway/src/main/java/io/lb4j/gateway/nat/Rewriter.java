package io.lb4j.gateway.nat;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;

/**
 * Writes translated addresses and ports into a packet, in place. Checksums are updated by the difference alone (RFC
 * 1624, eqn. 3): what was right stays right, what was wrong stays wrong. A UDP checksum of 0 stays 0 (none), a computed
 * 0 is sent as FFFF (RFC 768). An unfinished checksum (mark {@link FrameMarks#CHECKSUM_PARTIAL}) is the sum of the
 * pseudo-header, not complemented: it changes with the addresses only. Stateless; allocates nothing.
 */
final class Rewriter {
  /** The identification stays as it is. */
  static final long KEEP = -1;

  private Rewriter() {}

  /** A whole packet or first fragment: addresses, ports or identifier, time to live, identification. */
  static void packet(FrameView view, Tuple to, long identification, boolean countDown) {
    long delta = network(view, to, identification, countDown);
    transport(view, to, delta);
  }

  /** A later fragment: it has no ports. */
  static void fragment(FrameView view, Tuple to, long identification) {
    network(view, to, identification, true);
  }

  /** Time to live alone. */
  static void countDown(FrameView view) {
    if (view.isV6()) {
      int at = view.network() + Ipv6Header.HOP_LIMIT_OFFSET;
      view.setByte(at, view.getUnsignedByte(at) - 1);
      return;
    }
    int ip = view.network();
    int word = view.getUnsignedShort(ip + Ipv4Header.TIME_TO_LIVE_OFFSET);
    int checksum = view.getUnsignedShort(ip + Ipv4Header.CHECKSUM_OFFSET);
    view.setShort(ip + Ipv4Header.TIME_TO_LIVE_OFFSET, word - 0x100);
    view.setShort(ip + Ipv4Header.CHECKSUM_OFFSET, InternetChecksum.replace(checksum, word, word - 0x100));
  }

  /** Rewrites the network header; answers what the addresses add to a one's complement sum. */
  private static long network(FrameView view, Tuple to, long identification, boolean countDown) {
    return view.isV6() ? network6(view, to, identification, countDown) : network4(view, to, identification, countDown);
  }

  private static long network4(FrameView view, Tuple to, long identification, boolean countDown) {
    int ip = view.network();
    long addresses = view.getLong(ip + Ipv4Header.SOURCE_OFFSET);
    long newAddresses = to.sourceLow << 32 | to.destinationLow;
    long delta = halves(~addresses) + halves(newAddresses);
    int life = view.getInt(ip + Ipv4Header.TIME_TO_LIVE_OFFSET); // time to live, protocol, checksum
    int newLife = countDown ? life - 0x0100_0000 : life;
    long sum = delta + (~life >>> 16) + (newLife >>> 16);
    if (identification != KEEP) {
      int old = view.getUnsignedShort(ip + Ipv4Header.IDENTIFICATION_OFFSET);
      view.setShort(ip + Ipv4Header.IDENTIFICATION_OFFSET, (int) identification);
      sum += (~old & 0xFFFF) + identification;
    }
    int checksum = InternetChecksum.finish(sum + (~life & 0xFFFF));
    view.setInt(ip + Ipv4Header.TIME_TO_LIVE_OFFSET, newLife & 0xFFFF_0000 | checksum);
    view.setLong(ip + Ipv4Header.SOURCE_OFFSET, newAddresses);
    return delta;
  }

  /** What 64 bits add to a one's complement sum. */
  static long halves(long word) {
    return (word >>> 32) + (word & 0xFFFF_FFFFL);
  }

  private static long network6(FrameView view, Tuple to, long identification, boolean countDown) {
    int ip = view.network();
    long delta = addresses6(view, ip + Ipv6Header.SOURCE_OFFSET, to);
    if (countDown) {
      int life = ip + Ipv6Header.HOP_LIMIT_OFFSET;
      view.setByte(life, view.getUnsignedByte(life) - 1);
    }
    if (identification != KEEP && view.isFragment()) {
      view.setInt(view.fragmentHeader() + 4, (int) identification);
    }
    return delta;
  }

  /** Writes both addresses; answers what that adds to a one's complement sum. */
  static long addresses6(FrameView view, int at, Tuple to) {
    long delta =
        halves(~view.getLong(at))
            + halves(~view.getLong(at + 8))
            + halves(~view.getLong(at + 16))
            + halves(~view.getLong(at + 24))
            + halves(to.sourceHigh)
            + halves(to.sourceLow)
            + halves(to.destinationHigh)
            + halves(to.destinationLow);
    view.setLong(at, to.sourceHigh);
    view.setLong(at + 8, to.sourceLow);
    view.setLong(at + 16, to.destinationHigh);
    view.setLong(at + 24, to.destinationLow);
    return delta;
  }

  /** An ICMP error whose quote was restored: addresses, and the checksum afresh, which was right when it came. */
  static void error(FrameView view, Tuple to, boolean countDown) {
    network(view, to, KEEP, countDown);
    ByteBuf buffer = view.buffer();
    int icmp = view.transport();
    int length = view.networkEnd() - icmp;
    int field = icmp + IcmpHeader.CHECKSUM_OFFSET;
    buffer.setShort(field, 0);
    long pseudo =
        view.isV6() ? InternetChecksum.pseudoHeader6(buffer, view.network(), IpProtocol.ICMPV6, length) : 0;
    buffer.setShort(field, InternetChecksum.finish(InternetChecksum.sum(buffer, icmp, length, pseudo)));
  }

  private static void transport(FrameView view, Tuple to, long addressDelta) {
    int at = view.transport();
    switch (view.protocol()) {
      case IpProtocol.TCP -> {
        int field = at + TcpHeader.CHECKSUM_OFFSET;
        boolean partial = (view.marks() & FrameMarks.CHECKSUM_PARTIAL) != 0;
        int checksum = view.getUnsignedShort(field);
        int ports = view.getInt(at);
        view.setInt(at, to.ports);
        view.setShort(field, partial ? unfinished(checksum, addressDelta) : updated(checksum, ports, to, addressDelta));
      }
      case IpProtocol.UDP -> {
        int field = at + UdpHeader.CHECKSUM_OFFSET;
        boolean partial = (view.marks() & FrameMarks.CHECKSUM_PARTIAL) != 0;
        int checksum = view.getUnsignedShort(field);
        int ports = view.getInt(at);
        view.setInt(at, to.ports);
        if (partial) {
          view.setShort(field, unfinished(checksum, addressDelta));
        } else if (checksum != 0) {
          int result = updated(checksum, ports, to, addressDelta);
          view.setShort(field, result == 0 ? 0xFFFF : result);
        }
      }
      case IpProtocol.ICMP -> identifier(view, at, to.sourcePort(), 0);
      case IpProtocol.ICMPV6 -> identifier(view, at, to.sourcePort(), addressDelta);
      default -> {}
    }
  }

  private static int updated(int checksum, int ports, Tuple to, long addressDelta) {
    return InternetChecksum.finish(
        (~checksum & 0xFFFFL) + addressDelta + (~ports & 0xFFFF_FFFFL) + (to.ports & 0xFFFF_FFFFL));
  }

  private static int unfinished(int sum, long addressDelta) {
    return InternetChecksum.fold(sum + addressDelta);
  }

  private static void identifier(FrameView view, int icmp, int identifier, long addressDelta) {
    int old = view.getUnsignedShort(icmp + IcmpHeader.IDENTIFIER_OFFSET);
    int checksum = view.getUnsignedShort(icmp + IcmpHeader.CHECKSUM_OFFSET);
    long sum = (~checksum & 0xFFFFL) + (~old & 0xFFFFL) + identifier + addressDelta;
    view.setShort(icmp + IcmpHeader.IDENTIFIER_OFFSET, identifier);
    view.setShort(icmp + IcmpHeader.CHECKSUM_OFFSET, InternetChecksum.finish(sum));
  }
}

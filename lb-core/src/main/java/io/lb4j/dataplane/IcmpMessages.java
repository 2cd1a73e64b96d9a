package io.lb4j.dataplane;

import io.lb4j.frame.FrameView;
import io.lb4j.frame.PartialChecksum;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * ICMP and ICMPv6 as a host of the virtual addresses speaks it (RFC 792, RFC 4443): echo answered in place, and errors
 * made at a bounded rate. Owned by one worker.
 */
final class IcmpMessages {
  private static final int TIME_TO_LIVE = 64;
  private static final int ECHO_LENGTH_LIMIT = 0xFFFF;

  /** An IPv4 error quotes no more than fits in 576 bytes (RFC 1812, section 4.3.2.3). */
  private static final int V4_ERROR_LIMIT = 576;

  /** An ICMPv6 error quotes as much as fits in the smallest MTU (RFC 4443, section 2.4 c). */
  private static final int V6_ERROR_LIMIT = 1280;

  private final ByteBufAllocator allocator;
  private final ErrorRate rate = new ErrorRate();

  IcmpMessages(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  /** Whether the message's checksum is right; an unfinished one is left to the device that will finish it. */
  static boolean checksumIsRight(FrameView view) {
    int length = view.networkEnd() - view.transport();
    long pseudo =
        view.isV6()
            ? InternetChecksum.pseudoHeader6(view.buffer(), view.network(), IpProtocol.ICMPV6, length)
            : 0;
    return InternetChecksum.fold(InternetChecksum.sum(view.buffer(), view.transport(), length, pseudo)) == 0xFFFF;
  }

  static boolean isEchoRequest(FrameView view) {
    return view.icmpType() == (view.isV6() ? IcmpHeader.V6_ECHO_REQUEST : IcmpHeader.ECHO_REQUEST);
  }

  /**
   * Turns an echo request into its reply, in place: addresses swapped, type changed, time to live as a host's. The
   * reply goes back to whoever delivered the request.
   */
  static void answerEcho(FrameView view, long ownMac) {
    assert view.length() <= ECHO_LENGTH_LIMIT;
    ByteBuf buffer = view.buffer();
    EthernetHeader.setAddresses(buffer, view.start(), EthernetHeader.source(buffer, view.start()), ownMac);
    int ip = view.network();
    int icmp = view.transport();
    int request = view.icmpType() << 8 | view.icmpCode();
    int reply = (view.isV6() ? IcmpHeader.V6_ECHO_REPLY : IcmpHeader.ECHO_REPLY) << 8 | view.icmpCode();
    int checksum = buffer.getUnsignedShort(icmp + IcmpHeader.CHECKSUM_OFFSET);
    buffer.setShort(icmp, reply);
    buffer.setShort(icmp + IcmpHeader.CHECKSUM_OFFSET, InternetChecksum.replace(checksum, request, reply));
    if (view.isV6()) {
      swap6(view, buffer, ip);
      buffer.setByte(ip + Ipv6Header.HOP_LIMIT_OFFSET, TIME_TO_LIVE);
    } else {
      buffer.setInt(ip + Ipv4Header.SOURCE_OFFSET, (int) view.destinationLow());
      buffer.setInt(ip + Ipv4Header.DESTINATION_OFFSET, (int) view.sourceLow());
      buffer.setByte(ip + Ipv4Header.TIME_TO_LIVE_OFFSET, TIME_TO_LIVE);
      Ipv4Header.updateChecksum(buffer, ip);
    }
    view.setEgress(view.ingress());
  }

  private static void swap6(FrameView view, ByteBuf buffer, int ip) {
    buffer.setLong(ip + Ipv6Header.SOURCE_OFFSET, view.destinationHigh());
    buffer.setLong(ip + Ipv6Header.SOURCE_OFFSET + 8, view.destinationLow());
    buffer.setLong(ip + Ipv6Header.DESTINATION_OFFSET, view.sourceHigh());
    buffer.setLong(ip + Ipv6Header.DESTINATION_OFFSET + 8, view.sourceLow());
  }

  /** Whether another error about a packet to a virtual address may be sent now. */
  boolean mayError(long nowNs) {
    return rate.take(nowNs);
  }

  /**
   * Destination unreachable for a packet to a virtual address: port unreachable for TCP and UDP, protocol unreachable
   * (IPv6: unrecognized next header) for the rest.
   *
   * @return a new frame, the caller's, to be sent where the packet came from
   */
  ByteBuf unreachable(FrameView view, long ownMac) {
    boolean transport = view.protocol() == IpProtocol.TCP || view.protocol() == IpProtocol.UDP;
    long high = view.destinationHigh();
    long low = view.destinationLow();
    if (!view.isV6()) {
      return error(view, ownMac, high, low, IcmpHeader.UNREACHABLE, transport ? 3 : 2, 0);
    }
    return transport
        ? error(view, ownMac, high, low, IcmpHeader.V6_UNREACHABLE, 4, 0)
        : error(view, ownMac, high, low, IcmpHeader.V6_PARAMETER_PROBLEM, 1, Ipv6Header.NEXT_HEADER_OFFSET);
  }

  /**
   * Destination unreachable because communication is administratively prohibited (RFC 1812, section 5.2.7.1; RFC 4443,
   * section 3.1).
   *
   * @return a new frame, the caller's, to be sent where the packet came from
   */
  ByteBuf prohibited(FrameView view, long ownMac) {
    int type = view.isV6() ? IcmpHeader.V6_UNREACHABLE : IcmpHeader.UNREACHABLE;
    return error(view, ownMac, view.destinationHigh(), view.destinationLow(), type, view.isV6() ? 1 : 13, 0);
  }

  /**
   * An error about a packet, to its sender, which may know its packet by the checksum: an unfinished one is finished
   * before it is quoted.
   *
   * @param view the packet as it came
   * @param ownMac of the interface it came in by
   * @param sourceHigh first 64 bits of our address, 0 for IPv4
   * @param sourceLow last 64 bits, or the IPv4 address
   * @param type of the message
   * @param code of the message
   * @param word what follows the checksum
   * @return a new frame, the caller's, to be sent where the packet came from
   */
  ByteBuf error(FrameView view, long ownMac, long sourceHigh, long sourceLow, int type, int code, int word) {
    PartialChecksum.complete(view);
    long first = (long) (type << 8 | code) << 48 | word & 0xFFFF_FFFFL;
    int ipLength = view.isV6() ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH;
    int headers = ipLength + IcmpHeader.LENGTH;
    int limit = view.isV6() ? V6_ERROR_LIMIT : V4_ERROR_LIMIT;
    int quoted = Math.min(view.networkEnd() - view.network(), limit - headers);
    int network = view.network() - view.start();
    int icmp = network + ipLength;
    int length = IcmpHeader.LENGTH + quoted;
    ByteBuf error = begin(view, ownMac, network + headers + quoted);
    long pseudo = 0;
    if (view.isV6()) {
      Ipv6Header.write(
          error,
          network,
          length,
          IpProtocol.ICMPV6,
          TIME_TO_LIVE,
          sourceHigh,
          sourceLow,
          view.sourceHigh(),
          view.sourceLow());
      pseudo = InternetChecksum.pseudoHeader6(error, network, IpProtocol.ICMPV6, length);
    } else {
      Ipv4Header.write(
          error, network, headers + quoted, TIME_TO_LIVE, IpProtocol.ICMP, (int) sourceLow, (int) view.sourceLow());
    }
    error.setLong(icmp, first);
    error.setBytes(icmp + IcmpHeader.LENGTH, view.buffer(), view.network(), quoted);
    long sum = InternetChecksum.sum(error, icmp, length, pseudo);
    error.setShort(icmp + IcmpHeader.CHECKSUM_OFFSET, InternetChecksum.finish(sum));
    return error;
  }

  /** A frame back to the sender, link layer and VLAN tags written, zero-padded to the shortest Ethernet frame. */
  private ByteBuf begin(FrameView view, long ownMac, int length) {
    int padded = Math.max(length, EthernetHeader.MINIMUM_FRAME_LENGTH);
    int network = view.network() - view.start();
    ByteBuf error = allocator.buffer(padded, padded).writeZero(padded);
    error.setBytes(0, view.buffer(), view.start(), network);
    EthernetHeader.setAddresses(error, 0, EthernetHeader.source(view.buffer(), view.start()), ownMac);
    return error;
  }
}

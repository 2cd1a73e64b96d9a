package io.lb4j.gateway.nat;

import io.lb4j.address.IpAddress;
import io.lb4j.forward.Egress;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.topology.Topology;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * ICMP errors about translated packets (RFC 5508, section 4; RFC 6146, section 3.5): the quoted packet becomes what its
 * sender had sent, and the error goes to that sender. An error neither refreshes nor ends a session. Owned by one
 * worker.
 *
 * <p>The quote's tuple turned round is the tuple of packets in the other direction, whose entry says all: what it
 * becomes, turned round again, is what the quote has to be.
 */
final class IcmpTranslator {
  private static final int TRANSPORT_BYTES = 8;
  private static final int MAX_EXTENSION_HEADERS = 8;

  private final Sessions sessions;
  private final Departure departure;
  private final ProxyHeaders proxyHeaders;
  private final Topology topology;
  private final Ours ours;

  private final Tuple quoted = new Tuple();
  private final Tuple key = new Tuple();
  private final Tuple becomes = new Tuple();
  private final Tuple restored = new Tuple();
  private final Tuple outer = new Tuple();
  private int quote;
  private int quoteTransport;
  private int quoteEnd;

  /** Which addresses are the balancer's. */
  interface Ours {
    boolean is(boolean v6, long high, long low);
  }

  IcmpTranslator(
      Sessions sessions, Departure departure, ProxyHeaders proxyHeaders, Topology topology, Ours ours) {
    this.sessions = sessions;
    this.departure = departure;
    this.proxyHeaders = proxyHeaders;
    this.topology = topology;
    this.ours = ours;
  }

  /** How the error ended; null when it is about none of the sessions. */
  @Nullable Verdict onError(FrameView view) {
    if (!readQuote(view)) {
      return null;
    }
    boolean hasPorts = quoted.protocol == IpProtocol.TCP || quoted.protocol == IpProtocol.UDP;
    int session = sessions.find(key.reverse(quoted));
    if (session == Sessions.MISS) {
      return hasPorts ? null : Verdict.ICMP_NO_FLOW;
    }
    if (view.destinationLow() != quoted.sourceLow || view.destinationHigh() != quoted.sourceHigh) {
      return Verdict.ICMP_NO_FLOW; // not to the sender of what it quotes
    }
    if (!view.isV6() && !quotedHeaderIsRight(view.buffer())) {
      return Verdict.ICMP_QUOTE;
    }
    sessions.becomes(session, becomes);
    restored.reverse(becomes);
    outer.of(view);
    outer.setDestination(restored.sourceHigh, restored.sourceLow, 0);
    boolean around = ours.is(outer.v6, outer.destinationHigh, outer.destinationLow);
    long route = around ? 0 : departure.route(outer);
    Verdict refusal = around && !Departure.hasNoLife(view) ? null : departure.refusal(view, route);
    if (refusal != null) {
      return refusal;
    }
    if (!chooseSource(view, around, route)) {
      return Verdict.NO_ROUTE;
    }
    rewriteQuote(view);
    long word = sessions.word(session);
    if (Word.has(word, Word.PROXIED) && Word.has(word, Word.REPLY)) {
      restoreSequence(view.buffer(), proxyHeaders.find(restored));
    }
    Rewriter.error(view, outer, !around);
    return around ? departure.sendAround(view) : departure.send(view, route);
  }

  /** The session's own host appears under its public address, a router on its side as us; others stay. */
  private boolean chooseSource(FrameView view, boolean around, long route) {
    boolean ownHost = view.sourceLow() == key.sourceLow && view.sourceHigh() == key.sourceHigh;
    boolean hidden = !key.sameSource(becomes);
    if (ownHost) {
      outer.setSource(becomes.sourceHigh, becomes.sourceLow, 0);
    } else if (hidden && around) {
      outer.setSource(becomes.sourceHigh, becomes.sourceLow, 0);
    } else if (hidden) {
      IpAddress to = IpAddress.of(outer.v6, outer.destinationHigh, outer.destinationLow);
      Optional<IpAddress> own = topology.links().get(Egress.linkOf(route)).sourceTowards(to);
      own.ifPresent(address -> outer.setSource(address.high(), address.low(), 0));
      return own.isPresent();
    }
    return true;
  }

  // ---- the quote -----------------------------------------------------------------------------------------------

  private boolean readQuote(FrameView view) {
    ByteBuf buffer = view.buffer();
    quote = view.transport() + IcmpHeader.LENGTH;
    quoteEnd = Math.min(view.networkEnd(), endWithoutExtensions(view));
    quoted.v6 = view.isV6();
    return view.isV6() ? readQuote6(buffer) : readQuote4(buffer);
  }

  /** A length attribute says where the quote ends and extensions begin (RFC 4884, section 5). */
  private int endWithoutExtensions(FrameView view) {
    ByteBuf buffer = view.buffer();
    int icmp = view.transport();
    int words;
    if (view.isV6()) {
      boolean may = view.icmpType() == IcmpHeader.V6_UNREACHABLE || view.icmpType() == IcmpHeader.V6_TIME_EXCEEDED;
      words = may ? buffer.getUnsignedByte(icmp + 4) * 2 : 0;
    } else {
      words = buffer.getUnsignedByte(icmp + 5);
    }
    return words == 0 ? view.networkEnd() : quote + words * 4;
  }

  private boolean readQuote4(ByteBuf buffer) {
    if (quote + Ipv4Header.MINIMUM_LENGTH > quoteEnd || (buffer.getByte(quote) & 0xF0) != 0x40) {
      return false;
    }
    int headerLength = Ipv4Header.headerLength(buffer, quote);
    int offset = buffer.getUnsignedShort(quote + Ipv4Header.FRAGMENT_OFFSET) & Ipv4Header.OFFSET_MASK;
    if (headerLength < Ipv4Header.MINIMUM_LENGTH || offset != 0) {
      return false;
    }
    quoted.sourceHigh = 0;
    quoted.sourceLow = Ipv4Header.source(buffer, quote) & 0xFFFF_FFFFL;
    quoted.destinationHigh = 0;
    quoted.destinationLow = Ipv4Header.destination(buffer, quote) & 0xFFFF_FFFFL;
    return readTransport(buffer, Ipv4Header.protocol(buffer, quote), quote + headerLength, IpProtocol.ICMP);
  }

  private boolean quotedHeaderIsRight(ByteBuf buffer) {
    int headerLength = Ipv4Header.headerLength(buffer, quote);
    return InternetChecksum.fold(InternetChecksum.sum(buffer, quote, headerLength, 0)) == 0xFFFF;
  }

  private boolean readQuote6(ByteBuf buffer) {
    if (quote + Ipv6Header.LENGTH > quoteEnd || (buffer.getByte(quote) & 0xF0) != 0x60) {
      return false;
    }
    quoted.sourceHigh = buffer.getLong(quote + Ipv6Header.SOURCE_OFFSET);
    quoted.sourceLow = buffer.getLong(quote + Ipv6Header.SOURCE_OFFSET + 8);
    quoted.destinationHigh = buffer.getLong(quote + Ipv6Header.DESTINATION_OFFSET);
    quoted.destinationLow = buffer.getLong(quote + Ipv6Header.DESTINATION_OFFSET + 8);
    int header = buffer.getUnsignedByte(quote + Ipv6Header.NEXT_HEADER_OFFSET);
    int at = quote + Ipv6Header.LENGTH;
    for (int headers = 0; headers < MAX_EXTENSION_HEADERS && isExtension(header); headers++) {
      if (at + 8 > quoteEnd) {
        return false;
      }
      boolean isFragment = header == IpProtocol.FRAGMENT;
      if (isFragment && (buffer.getUnsignedShort(at + 2) & 0xFFF8) != 0) {
        return false;
      }
      int length = isFragment ? 8 : buffer.getUnsignedByte(at + 1) + 1 << 3;
      header = buffer.getUnsignedByte(at);
      at += length;
    }
    return readTransport(buffer, header, at, IpProtocol.ICMPV6);
  }

  private static boolean isExtension(int header) {
    return header == IpProtocol.HOP_BY_HOP
        || header == IpProtocol.ROUTING
        || header == IpProtocol.DESTINATION_OPTIONS
        || header == IpProtocol.FRAGMENT;
  }

  private boolean readTransport(ByteBuf buffer, int protocol, int at, int icmp) {
    if (at + TRANSPORT_BYTES > quoteEnd) {
      return false;
    }
    quoteTransport = at;
    quoted.protocol = protocol;
    if (protocol == IpProtocol.TCP || protocol == IpProtocol.UDP) {
      quoted.ports = buffer.getInt(at);
      return true;
    }
    int identifier = buffer.getUnsignedShort(at + IcmpHeader.IDENTIFIER_OFFSET);
    quoted.ports = Tuple.ports(identifier, identifier);
    boolean isQuery = !IcmpHeader.isError(icmp == IpProtocol.ICMPV6, buffer.getUnsignedByte(at));
    return protocol == icmp && isQuery;
  }

  /** Its checksums change by the difference: the quote may be cut, and was perhaps wrong already. */
  private void rewriteQuote(FrameView view) {
    ByteBuf buffer = view.buffer();
    long delta = view.isV6() ? rewriteAddresses6(view) : rewriteAddresses4(buffer);
    long ports = (~quoted.ports & 0xFFFF_FFFFL) + (restored.ports & 0xFFFF_FFFFL);
    int at = quoteTransport;
    switch (quoted.protocol) {
      case IpProtocol.TCP -> {
        buffer.setInt(at, restored.ports);
        update(buffer, at + TcpHeader.CHECKSUM_OFFSET, delta + ports, false);
      }
      case IpProtocol.UDP -> {
        buffer.setInt(at, restored.ports);
        update(buffer, at + UdpHeader.CHECKSUM_OFFSET, delta + ports, true);
      }
      default -> {
        long identifier = (~quoted.sourcePort() & 0xFFFFL) + restored.sourcePort();
        buffer.setShort(at + IcmpHeader.IDENTIFIER_OFFSET, restored.sourcePort());
        update(buffer, at + IcmpHeader.CHECKSUM_OFFSET, identifier + (view.isV6() ? delta : 0), false);
      }
    }
  }

  /** A client's segment was sent on with another sequence number, which an attentive TCP looks at (RFC 5927). */
  private void restoreSequence(ByteBuf buffer, int note) {
    if (note == ProxyHeaders.NONE) {
      return;
    }
    int at = quoteTransport + TcpHeader.SEQUENCE_OFFSET;
    int moved = buffer.getInt(at);
    int sequence = proxyHeaders.asClientSent(note, moved, quoted.v6);
    buffer.setInt(at, sequence);
    long delta = (~moved & 0xFFFF_FFFFL) + (sequence & 0xFFFF_FFFFL);
    update(buffer, quoteTransport + TcpHeader.CHECKSUM_OFFSET, delta, false);
  }

  private void update(ByteBuf buffer, int field, long delta, boolean udp) {
    if (field + 2 > quoteEnd) {
      return;
    }
    int checksum = buffer.getUnsignedShort(field);
    if (udp && checksum == 0) {
      return;
    }
    int updated = InternetChecksum.finish((~checksum & 0xFFFFL) + delta);
    buffer.setShort(field, udp && updated == 0 ? 0xFFFF : updated);
  }

  private long rewriteAddresses4(ByteBuf buffer) {
    long old = buffer.getLong(quote + Ipv4Header.SOURCE_OFFSET);
    long next = restored.sourceLow << 32 | restored.destinationLow;
    long delta = Rewriter.halves(~old) + Rewriter.halves(next);
    int checksum = buffer.getUnsignedShort(quote + Ipv4Header.CHECKSUM_OFFSET);
    buffer.setLong(quote + Ipv4Header.SOURCE_OFFSET, next);
    buffer.setShort(
        quote + Ipv4Header.CHECKSUM_OFFSET, InternetChecksum.finish((~checksum & 0xFFFFL) + delta));
    return delta;
  }

  private long rewriteAddresses6(FrameView view) {
    return Rewriter.addresses6(view, quote + Ipv6Header.SOURCE_OFFSET, restored);
  }
}

package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.IcmpQuote;
import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.NeighborMessage;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.Unpooled;

/** A frame in words, for reports. Static. */
final class FrameText {
  private FrameText() {}

  static String of(byte[] frame) {
    FrameView view = new FrameView();
    view.wrap(Unpooled.wrappedBuffer(frame), 0, frame.length, 0, 0);
    FrameParser.parse(view);
    return MacAddress.of(view.sourceMac()) + " > " + MacAddress.of(view.destinationMac()) + ": " + packet(view);
  }

  private static String packet(FrameView view) {
    return switch (view.kind()) {
      case ARP -> arp(view);
      case SEGMENT -> segment(view);
      case ICMP -> ends(view) + " " + icmp(view);
      case FIRST_FRAGMENT, LATER_FRAGMENT, OTHER_PROTOCOL ->
          ends(view) + " protocol " + view.protocol() + (view.isFragment() ? ", a fragment" : "");
      case NOT_IP, MALFORMED -> view.length() + " bytes";
    };
  }

  private static String arp(FrameView view) {
    int arp = view.network();
    IpAddress sender = IpAddress.v4(ArpPacket.senderProtocol(view.buffer(), arp));
    IpAddress target = IpAddress.v4(ArpPacket.targetProtocol(view.buffer(), arp));
    MacAddress mac = MacAddress.of(ArpPacket.senderHardware(view.buffer(), arp));
    if (ArpPacket.operation(view.buffer(), arp) == ArpPacket.REPLY) {
      return "ARP reply, " + sender + " is at " + mac;
    }
    if (sender.isUnspecified()) {
      return "ARP probe, who has " + target + "?";
    }
    return sender.equals(target)
        ? "ARP announcement, " + sender + " is at " + mac
        : "ARP request, who has " + target + "? Tell " + sender + " at " + mac;
  }

  private static IpAddress source(FrameView view) {
    return IpAddress.of(view.isV6(), view.sourceHigh(), view.sourceLow());
  }

  private static IpAddress destination(FrameView view) {
    return IpAddress.of(view.isV6(), view.destinationHigh(), view.destinationLow());
  }

  private static String ends(FrameView view) {
    return source(view) + " > " + destination(view);
  }

  private static String segment(FrameView view) {
    String name = view.protocol() == IpProtocol.UDP ? "UDP datagram" : "TCP " + flags(view.tcpFlags());
    return source(view) + " port " + view.sourcePort() + " > " + destination(view) + " port "
        + view.destinationPort() + " " + name;
  }

  private static String flags(int flags) {
    StringBuilder text = new StringBuilder();
    append(text, flags, TcpHeader.SYN, "SYN");
    append(text, flags, TcpHeader.FIN, "FIN");
    append(text, flags, TcpHeader.RST, "RST");
    append(text, flags, TcpHeader.ACK, "ACK");
    return text.toString();
  }

  private static void append(StringBuilder text, int flags, int flag, String name) {
    if ((flags & flag) != 0) {
      text.append(text.isEmpty() ? "" : "+").append(name);
    }
  }

  private static String icmp(FrameView view) {
    int type = view.icmpType();
    boolean v6 = view.isV6();
    if (type == (v6 ? IcmpHeader.V6_ECHO_REQUEST : IcmpHeader.ECHO_REQUEST)) {
      return "echo request, " + view.length() + " bytes";
    }
    if (type == (v6 ? IcmpHeader.V6_ECHO_REPLY : IcmpHeader.ECHO_REPLY)) {
      return "echo reply, " + view.length() + " bytes";
    }
    if (v6 && type == IcmpHeader.V6_NEIGHBOR_SOLICITATION) {
      return "neighbour solicitation, who has " + target(view) + "?";
    }
    if (v6 && type == IcmpHeader.V6_NEIGHBOR_ADVERTISEMENT) {
      return "neighbour advertisement for " + target(view);
    }
    boolean redirect = !v6 && type == IcmpHeader.REDIRECT;
    String name = redirect ? "ICMP redirect" : "ICMP type " + type + " code " + view.icmpCode() + words(view);
    boolean quotes = redirect || IcmpHeader.isError(v6, type);
    return name + (quotes && IcmpQuote.find(view) != IcmpQuote.UNREADABLE ? ", about a packet of ours" : "");
  }

  private static String words(FrameView view) {
    if (!IcmpHeader.isError(view.isV6(), view.icmpType())) {
      return "";
    }
    return " (" + Answer.errorWords(view.isV6(), view.icmpType(), view.icmpCode()) + ")";
  }

  private static IpAddress target(FrameView view) {
    return IpAddress.v6(
        NeighborMessage.targetHigh(view.buffer(), view.transport()),
        NeighborMessage.targetLow(view.buffer(), view.transport()));
  }
}

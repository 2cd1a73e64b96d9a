package io.lb4j.verify;

import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.IcmpQuote;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Knows frames again that came because of a question that is a packet. Static. */
final class Recognition {
  private Recognition() {}

  /** The number of the question that a frame can be about; 0 when it is about none. */
  static int number(FrameView view) {
    ByteBuf buffer = view.buffer();
    return switch (view.kind()) {
      case SEGMENT -> isOpening(view) ? view.sourcePort() : view.destinationPort();
      case ICMP -> icmpNumber(view);
      case OTHER_PROTOCOL -> isFragmentedEcho(view) ? identifier(buffer, view.transport()) : 0;
      default -> 0;
    };
  }

  /** A SYN without ACK is no answer: it is our own, sent on. */
  private static boolean isOpening(FrameView view) {
    return view.protocol() == IpProtocol.TCP
        && (view.tcpFlags() & (TcpHeader.SYN | TcpHeader.ACK | TcpHeader.RST)) == TcpHeader.SYN;
  }

  private static int icmpNumber(FrameView view) {
    if (!quotes(view)) {
      return isEcho(view) ? identifier(view.buffer(), view.transport()) : 0;
    }
    long quote = IcmpQuote.find(view);
    if (quote == IcmpQuote.UNREADABLE) {
      return 0;
    }
    int transport = IcmpQuote.transportOf(quote);
    int protocol = IcmpQuote.protocolOf(quote);
    boolean ports = protocol == IpProtocol.TCP || protocol == IpProtocol.UDP;
    return ports ? view.buffer().getUnsignedShort(transport) : identifier(view.buffer(), transport);
  }

  private static boolean quotes(FrameView view) {
    return IcmpHeader.isError(view.isV6(), view.icmpType()) || !view.isV6() && view.icmpType() == IcmpHeader.REDIRECT;
  }

  private static boolean isEcho(FrameView view) {
    int type = view.icmpType();
    return view.isV6()
        ? type == IcmpHeader.V6_ECHO_REPLY || type == IcmpHeader.V6_ECHO_REQUEST
        : type == IcmpHeader.ECHO_REPLY || type == IcmpHeader.ECHO_REQUEST;
  }

  private static boolean isFragmentedEcho(FrameView view) {
    int protocol = view.protocol();
    boolean icmp = protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6;
    return icmp && view.isFragment() && view.transport() + IcmpHeader.LENGTH <= view.networkEnd();
  }

  private static int identifier(ByteBuf buffer, int icmp) {
    return buffer.getUnsignedShort(icmp + IcmpHeader.IDENTIFIER_OFFSET);
  }

  /** What a frame is to the question with its number; null when it is nothing to it. */
  static Answer.@Nullable Aspect aspect(FrameView view, Question question) {
    if (view.isV6() != question.target.isV6() || view.ingress() < 0) {
      return null;
    }
    return switch (view.kind()) {
      case SEGMENT -> segment(view, question);
      case ICMP -> quotes(view) ? quoting(view, question) : echo(view, question);
      case OTHER_PROTOCOL -> isToUs(view, question) ? Answer.Aspect.FRAGMENT : null;
      default -> null;
    };
  }

  private static Answer.@Nullable Aspect segment(FrameView view, Question question) {
    if (view.protocol() != question.protocol) {
      return null;
    }
    if (isOpening(view)) {
      return isSent(view, question) ? Answer.Aspect.RETURNED : null;
    }
    boolean fits = question.protocol == IpProtocol.UDP
        ? view.sourcePort() == question.port
        : (view.tcpFlags() & TcpHeader.ACK) != 0 && view.tcpAcknowledgment() == (int) question.nonce + 1;
    return fits && isToUs(view, question) ? Answer.Aspect.REPLY : null;
  }

  private static Answer.@Nullable Aspect echo(FrameView view, Question question) {
    ByteBuf buffer = view.buffer();
    int data = view.transport() + IcmpHeader.LENGTH;
    boolean same = question.protocol == view.protocol()
        && data + ProbeFrames.NONCE_LENGTH <= view.networkEnd()
        && buffer.getLong(data) == question.nonce;
    if (!same) {
      return null;
    }
    boolean request = view.icmpType() == (view.isV6() ? IcmpHeader.V6_ECHO_REQUEST : IcmpHeader.ECHO_REQUEST);
    if (request) {
      return isSent(view, question) ? Answer.Aspect.RETURNED : null;
    }
    return isToUs(view, question) ? Answer.Aspect.REPLY : null;
  }

  /** Whoever sends it: a wrong source is to be seen. */
  private static boolean isToUs(FrameView view, Question question) {
    return view.destinationHigh() == question.source.high() && view.destinationLow() == question.source.low();
  }

  private static boolean isSent(FrameView view, Question question) {
    return view.sourceHigh() == question.source.high()
        && view.sourceLow() == question.source.low()
        && view.destinationHigh() == question.target.high()
        && view.destinationLow() == question.target.low();
  }

  private static Answer.@Nullable Aspect quoting(FrameView view, Question question) {
    long quote = IcmpQuote.find(view);
    if (quote == IcmpQuote.UNREADABLE || IcmpQuote.protocolOf(quote) != question.protocol) {
      return null;
    }
    if (!quotesDestination(view.buffer(), IcmpQuote.network(view), question)) {
      return null;
    }
    boolean redirect = !view.isV6() && view.icmpType() == IcmpHeader.REDIRECT;
    return redirect ? Answer.Aspect.REDIRECT : Answer.Aspect.ERROR;
  }

  private static boolean quotesDestination(ByteBuf buffer, int ip, Question question) {
    if (!question.target.isV6()) {
      return Ipv4Header.destination(buffer, ip) == (int) question.target.low();
    }
    return buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET) == question.target.high()
        && buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET + 8) == question.target.low();
  }

  /** Whether a reply has opened a connection that is to be reset. */
  static boolean opens(FrameView view) {
    return view.kind() == FrameKind.SEGMENT
        && view.protocol() == IpProtocol.TCP
        && (view.tcpFlags() & TcpHeader.SYN) != 0;
  }
}

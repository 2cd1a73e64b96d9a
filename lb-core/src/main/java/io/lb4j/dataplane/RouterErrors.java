package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.forward.IcmpErrors;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.topology.Topology;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.netty.buffer.ByteBuf;
import java.util.Optional;

/**
 * ICMP errors as a router sends them: from the address of the interface that the packet came in by, in the subnet that
 * leads back to its sender (RFC 1812, section 4.3.2.4). Owned by one worker; a slow path, at a bounded rate.
 */
final class RouterErrors implements IcmpErrors {
  private static final int FRAGMENTATION_NEEDED = 4;

  private final WorkerState state;
  private final Topology topology;
  private final ErrorRate[] rates;
  private final FrameView translated = new FrameView();

  RouterErrors(WorkerState state, Topology topology) {
    this.state = state;
    this.topology = topology;
    this.rates = new ErrorRate[2 * topology.links().size()];
    for (int i = 0; i < rates.length; i++) {
      rates[i] = new ErrorRate();
    }
  }

  @Override
  public void send(FrameView about, int type, int code, int word) {
    int link = about.ingress();
    if (!mayBeToldOf(about) || !rateOf(link, isTooBig(about, type, code)).take(state.nowNs)) {
      return;
    }
    IpAddress sender = IpAddress.of(about.isV6(), about.sourceHigh(), about.sourceLow());
    IpAddress back = topology.nextHop(sender).orElse(sender);
    Optional<IpAddress> own = topology.links().get(link).sourceTowards(back);
    if (own.isPresent()) {
      long mac = state.linkMacs[link];
      ByteBuf error = state.icmp.error(about, mac, own.get().high(), own.get().low(), type, code, word);
      if (about.isAgain()) {
        sendToInside(error, FrameMarks.tagOf(about.marks()));
      } else {
        state.out.transmit(link, error, FrameMarks.tagOf(about.marks()));
      }
    }
  }

  /** Tells the sender of a packet how large it may be. */
  void tooBig(FrameView about, int mtu) {
    if (about.isV6()) {
      send(about, IcmpHeader.V6_PACKET_TOO_BIG, 0, mtu);
    } else {
      send(about, IcmpHeader.UNREACHABLE, FRAGMENTATION_NEEDED, mtu);
    }
  }

  /**
   * Each interface has its own share, and path MTU discovery one of its own: a flood of one does not silence another.
   */
  private ErrorRate rateOf(int link, boolean tooBig) {
    return rates[2 * link + (tooBig ? 1 : 0)];
  }

  private static boolean isTooBig(FrameView about, int type, int code) {
    return about.isV6()
        ? type == IcmpHeader.V6_PACKET_TOO_BIG
        : type == IcmpHeader.UNREACHABLE && code == FRAGMENTATION_NEEDED;
  }

  /** The packet's source is one of our own addresses: the error is translated for whom that stands for. */
  private void sendToInside(ByteBuf error, long tag) {
    translated.wrap(error, 0, error.readableBytes(), tag, -1);
    FrameParser.parse(translated);
    Verdict verdict = state.translator == null ? null : state.translator.onIcmpError(translated);
    if (verdict == Verdict.FORWARD && translated.egress() >= 0) {
      state.out.transmit(translated.egress(), error, translated.marks());
    } else {
      error.release();
    }
  }

  /** No error about an error, a later fragment, or a packet from or to a group (RFC 1812, section 4.3.2.7). */
  private static boolean mayBeToldOf(FrameView about) {
    if (about.kind() == FrameKind.LATER_FRAGMENT) {
      return false;
    }
    boolean icmp = about.protocol() == (about.isV6() ? IpProtocol.ICMPV6 : IpProtocol.ICMP);
    if (icmp && !isQuery(about)) {
      return false;
    }
    return about.isV6()
        ? about.destinationHigh() >>> 56 != 0xFF && about.sourceHigh() >>> 54 != 0x3FA // not from a link-local one
        : about.destinationLow() >>> 28 < 0xE;
  }

  private static boolean isQuery(FrameView about) {
    return !IcmpHeader.isError(about.isV6(), about.icmpType())
        && (about.isV6() || about.icmpType() != IcmpHeader.REDIRECT);
  }
}

package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameView;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.topology.Topology;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A probe of a virtual address at one server, by the way of clients' frames. Three packets go to the server's MAC
 * address at once, and what comes back to each tells the cases apart:
 *
 * <pre>
 *   to the server's own address   echo request              is the server there?
 *   to the virtual address        echo request              does it hold the address?
 *   to the virtual address        SYN, or empty datagram    does the service answer?
 * </pre>
 *
 * A SYN has to be answered. A datagram need not be: the echo reply of the virtual address will do, unless "port
 * unreachable" follows, for which a quarter of the time is waited.
 */
final class DirectProbe extends Probe {
  /** "Port unreachable" may come after the echo reply: by another queue, another processor, there or here. */
  private static final int SETTLE_PART = 4;

  private final IpAddress vip;
  private final int port;
  private final boolean tcp;

  private @Nullable ProbePacket own;
  private @Nullable ProbePacket held;
  private @Nullable ProbePacket service;
  private @Nullable ProbePacket reset;
  private int sequence;
  private boolean opened;
  private boolean serverSpoke;
  private boolean vipSpoke;
  private long vipSpokeNs;

  DirectProbe(
      int number,
      IpAddress vip,
      int port,
      boolean tcp,
      IpAddress server,
      long timeoutNs,
      Consumer<ProbeResult> done) {
    super(number, server, timeoutNs, done);
    this.vip = vip;
    this.port = port;
    this.tcp = tcp;
  }

  @Override
  @Nullable ProbeResult prepare(Topology topology, SplittableRandom random) {
    link = topology.linkOf(server).orElse(null);
    nextHop = server;
    if (link == null) {
      return ProbeResult.failed(ProbeReason.UNREACHABLE, "no interface is connected to the subnet of " + server);
    }
    Optional<IpAddress> towardsServer = source(link, server, server.isV6());
    Optional<IpAddress> towardsVip = source(link, server, vip.isV6());
    if (towardsServer.isEmpty() || towardsVip.isEmpty()) {
      return noSource(link, towardsServer.isEmpty() ? server.isV6() : vip.isV6());
    }
    IpAddress source = towardsVip.get();
    int ports = number << 16 | port;
    sequence = random.nextInt();
    own = ProbePacket.echo(towardsServer.get(), server, number, 1, random.nextLong());
    held = ProbePacket.echo(source, vip, number, 2, random.nextLong());
    service =
        tcp
            ? ProbePacket.syn(source, vip, ports, sequence, link.mtu())
            : ProbePacket.datagram(source, vip, ports, random.nextInt());
    reset = ProbePacket.reset(source, vip, ports, sequence + 1);
    return null;
  }

  /** What was asked first is answered first: of a datagram the refusal comes before the echo reply. */
  @Override
  List<ProbePacket> unanswered() {
    List<ProbePacket> packets = new ArrayList<>();
    if (!serverSpoke) {
      packets.add(own);
    }
    if (!vipSpoke && tcp) {
      packets.add(held);
    }
    packets.add(service);
    if (!vipSpoke && !tcp) {
      packets.add(held);
    }
    return packets;
  }

  @Override
  boolean onSegment(FrameView view, long nowNs) {
    int protocol = tcp ? IpProtocol.TCP : IpProtocol.UDP;
    if (view.protocol() != protocol || view.sourcePort() != port || !service.isAnsweredBy(view)) {
      return false;
    }
    return tcp ? onTcp(view, nowNs) : onDatagram(nowNs);
  }

  private boolean onDatagram(long nowNs) {
    answered(nowNs);
    return true;
  }

  /** Only what acknowledges our SYN is an answer to it (RFC 9293, section 3.10.7.3). */
  private boolean onTcp(FrameView view, long nowNs) {
    int flags = view.tcpFlags();
    if ((flags & TcpHeader.ACK) == 0 || view.tcpAcknowledgment() != sequence + 1) {
      return false;
    }
    if ((flags & TcpHeader.RST) != 0) {
      failed(ProbeReason.REFUSED, vip + " port " + port + " is closed on " + server);
      return true;
    }
    opened = (flags & TcpHeader.SYN) != 0;
    if (opened) {
      answered(nowNs);
    }
    return opened;
  }

  @Override
  boolean onEchoReply(FrameView view, long nowNs) {
    if (held.isEchoedBy(view)) {
      onVip(nowNs);
      return true;
    }
    boolean fromServer = own.isEchoedBy(view);
    serverSpoke |= fromServer;
    return fromServer;
  }

  private void onVip(long nowNs) {
    vipSpokeNs = vipSpoke ? vipSpokeNs : nowNs;
    vipSpoke = true;
  }

  @Override
  boolean onQuote(FrameView view, long quote, long nowNs) {
    boolean isError = IcmpHeader.isError(view.isV6(), view.icmpType());
    if (own.isQuotedBy(view, quote)) {
      serverSpoke |= isError && own.isAnsweredBy(view);
      return isError;
    }
    boolean aboutService = service.isQuotedBy(view, quote);
    if (!aboutService && !held.isQuotedBy(view, quote)) {
      return false;
    }
    if (isError) {
      onError(view, ProbeError.of(view), aboutService, nowNs);
    } else {
      failed(ProbeReason.DSR_VIP_MISSING, sendsOn()); // a redirect: who keeps a packet does not send one
    }
    return true;
  }

  private void onError(FrameView view, ProbeError error, boolean aboutService, long nowNs) {
    boolean fromVip = service.isAnsweredBy(view);
    boolean refused = error.kind() == ProbeError.Kind.CLOSED || error.kind() == ProbeError.Kind.PROHIBITED;
    if (refused && aboutService) {
      String sender = IpAddress.of(view.isV6(), view.sourceHigh(), view.sourceLow()).toString();
      failed(ProbeReason.REFUSED, vip + " port " + port + ": " + error.words() + ", says " + sender);
    } else if (refused && fromVip) {
      onVip(nowNs); // it takes no echo requests, but it is there
    } else if (error.kind() == ProbeError.Kind.NO_WAY) {
      failed(
          fromVip ? ProbeReason.UNREACHABLE : ProbeReason.DSR_VIP_MISSING,
          fromVip ? error.words() + ", says " + vip : sendsOn());
    }
  }

  @Override
  boolean onReturn(FrameView view) {
    if (!service.isIn(view) && !held.isIn(view)) {
      return false;
    }
    failed(ProbeReason.DSR_VIP_MISSING, sendsOn());
    return true;
  }

  private String sendsOn() {
    return server + " sends frames for " + vip + " on instead of keeping them; " + remedy();
  }

  private String remedy() {
    return "on the server: ip addr add " + vip + "/" + (vip.isV6() ? 128 : 32) + " dev lo";
  }

  @Override
  ProbeResult whenSilent() {
    if (vipSpoke && !tcp) {
      return ProbeResult.answered(Math.max(0, vipSpokeNs - sentNs));
    }
    if (vipSpoke) {
      return ProbeResult.failed(
          ProbeReason.TIMED_OUT, server + " holds " + vip + ", but nothing answers on port " + port);
    }
    return serverSpoke
        ? ProbeResult.failed(
            ProbeReason.DSR_VIP_MISSING, server + " answers for itself but not as " + vip + "; " + remedy())
        : ProbeResult.failed(ProbeReason.TIMED_OUT, "neither " + server + " nor " + vip + " answers there");
  }

  @Override
  long settlesNs() {
    long settledNs = vipSpokeNs + timeoutNs / SETTLE_PART;
    return vipSpoke && !tcp && settledNs - deadlineNs < 0 ? settledNs : deadlineNs;
  }

  @Override
  @Nullable ProbePacket farewell() {
    return opened ? reset : null;
  }
}

package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.topology.Link;
import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.NeighborMessage;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A server as Linux would be one, as far as a verification asks, with switches for what can be wrong with it. */
final class FakeServer {
  static final MacAddress MAC = MacAddress.of("02:00:00:00:00:11");
  static final MacAddress ROUTER = MacAddress.of("02:00:00:00:00:fe");

  final IpAddress address;
  final IpAddress balancer;
  final IpPrefix subnet;
  final Set<IpAddress> held = new HashSet<>(); // virtual addresses
  final Set<IpAddress> onNic = new HashSet<>();
  final Set<IpAddress> listening = new HashSet<>();
  final Set<Integer> ports = new HashSet<>(Set.of(80, 53));

  MacAddress mac = MAC;
  boolean dead;
  boolean answersArp;
  boolean leaks;
  boolean strictForClients;
  boolean strictForBalancer;
  IpPrefix swallowed; // by a wrong prefix on loopback; null when nothing is
  boolean checksSources; // rp_filter is not 0
  boolean filtered;
  boolean silentPort;
  boolean prohibitsPort;
  boolean wildcardUdp;
  boolean forwards;
  IpAddress replySource; // of source NAT
  int mtu = 1500;
  MacAddress balancerMac; // what it believes, null for what is true
  MacAddress repliesBy = null; // whose MAC address its frames to the balancer have
  Gateway gateway = Gateway.BALANCER;

  /** Where its answers to clients go. */
  enum Gateway {
    BALANCER,
    NONE,
    BY_ROUTER,
    ASKED_FOR
  }

  private final Map<IpAddress, List<byte[]>> unresolved = new HashMap<>();
  private final Link link;

  FakeServer(Link balancerLink, IpAddress address, IpAddress balancer, IpPrefix subnet) {
    this.link = balancerLink;
    this.address = address;
    this.balancer = balancer;
    this.subnet = subnet;
    listening.add(address);
  }

  FakeServer holding(IpAddress... vips) {
    held.addAll(List.of(vips));
    listening.addAll(List.of(vips));
    return this;
  }

  List<byte[]> onFrame(byte[] frame) {
    long destination = EthernetHeader.destination(Unpooled.wrappedBuffer(frame), 0);
    boolean forUs = destination == mac.value() || MacAddress.isMulticast(destination);
    if (dead || !forUs) {
      return List.of();
    }
    FrameView view = new FrameView();
    view.wrap(Unpooled.wrappedBuffer(frame), 0, frame.length, 0, 0);
    FrameKind kind = FrameParser.parse(view);
    List<byte[]> out = new ArrayList<>();
    if (kind == FrameKind.ARP) {
      onArp(view, out);
    } else if (isNeighborMessage(view)) {
      onNeighborMessage(view, out);
    } else if (!filtered && frame.length - EthernetHeader.LENGTH <= mtu) {
      onPacket(view, frame, out);
    }
    return out;
  }

  private static boolean isNeighborMessage(FrameView view) {
    return view.kind() == FrameKind.ICMP && view.isV6() && IcmpHeader.isNeighborMessage(view.icmpType());
  }

  private void onArp(FrameView view, List<byte[]> out) {
    IpAddress sender = IpAddress.v4(ArpPacket.senderProtocol(view.buffer(), view.network()));
    IpAddress target = IpAddress.v4(ArpPacket.targetProtocol(view.buffer(), view.network()));
    if (ArpPacket.operation(view.buffer(), view.network()) == ArpPacket.REPLY) {
      List<byte[]> waiting = unresolved.remove(sender);
      out.addAll(waiting == null ? List.of() : waiting);
      return;
    }
    boolean ours = target.equals(address) || onNic.contains(target) || answersArp && held.contains(target);
    if (ours && wants(sender)) {
      out.add(ProbeFrames.arpReply(asIf(mac), view.sourceMac(), sender, target));
    }
  }

  private boolean wants(IpAddress sender) {
    if (sender.isUnspecified()) {
      return true;
    }
    boolean near = subnet.contains(sender);
    return !(checksSources && swallowed != null && swallowed.contains(sender))
        && !(strictForClients && !near)
        && !(strictForBalancer);
  }

  private void onNeighborMessage(FrameView view, List<byte[]> out) {
    IpAddress target = IpAddress.v6(
        NeighborMessage.targetHigh(view.buffer(), view.transport()),
        NeighborMessage.targetLow(view.buffer(), view.transport()));
    IpAddress source = IpAddress.v6(view.sourceHigh(), view.sourceLow());
    if (view.icmpType() == IcmpHeader.V6_NEIGHBOR_ADVERTISEMENT) {
      List<byte[]> waiting = unresolved.remove(target);
      out.addAll(waiting == null ? List.of() : waiting);
    } else if (target.equals(address) || onNic.contains(target)) {
      out.add(ProbeFrames.advertisement(asIf(mac), view.sourceMac(), source, target));
    }
  }

  private Link asIf(MacAddress own) {
    return new Link(0, link.name(), own, link.mtu(), link.addresses(), false, false, false);
  }

  private void onPacket(FrameView view, byte[] frame, List<byte[]> out) {
    IpAddress destination = IpAddress.of(view.isV6(), view.destinationHigh(), view.destinationLow());
    IpAddress source = IpAddress.of(view.isV6(), view.sourceHigh(), view.sourceLow());
    if (isBroadcast(source)) {
      return;
    }
    if (!destination.equals(address) && !held.contains(destination) && !onNic.contains(destination)) {
      if (forwards) {
        byte[] on = frame.clone();
        EthernetHeader.setAddresses(Unpooled.wrappedBuffer(on), 0, view.sourceMac(), mac.value());
        out.add(on);
      }
      return;
    }
    boolean echo = view.kind() == FrameKind.ICMP;
    byte[] reply = echo ? echoReply(frame, view.isV6()) : segmentReply(view, frame, destination);
    if (reply != null) {
      send(reply, source, destination, echo, out);
    }
  }

  private boolean isBroadcast(IpAddress source) {
    int hosts = source.isV6() ? 0 : (1 << 32 - subnet.length()) - 1;
    return hosts != 0 && subnet.contains(source) && ((int) source.low() & hosts) == hosts;
  }

  /** By the routes of the server, and of IPv6 echo replies by the interface that the request came by. */
  private void send(byte[] reply, IpAddress to, IpAddress as, boolean echo, List<byte[]> out) {
    if (replySource != null) {
      source(reply, replySource);
    }
    if (swallowed != null && swallowed.contains(to) && !(to.isV6() && echo)) {
      return;
    }
    if (!subnet.contains(to) && !to.isLinkLocal()) {
      toClient(reply, out);
    } else if (to.equals(balancer) || to.isLinkLocal()) {
      boolean wrong = balancerMac != null && !to.isLinkLocal();
      long by = repliesBy != null ? repliesBy.value() : mac.value();
      out.add(macs(reply, wrong ? balancerMac.value() : link.mac().value(), by));
    } else {
      unresolved.computeIfAbsent(to, key -> new ArrayList<>()).add(macs(reply, link.mac().value(), mac.value()));
      IpAddress asker = leaks && held.contains(as) ? as : address;
      out.add(
          to.isV6()
              ? ProbeFrames.solicitation(asIf(mac), address, to)
              : ProbeFrames.arpRequest(asIf(mac), MacAddress.BROADCAST.value(), asker, to));
    }
  }

  private void toClient(byte[] reply, List<byte[]> out) {
    switch (gateway) {
      case BALANCER -> out.add(macs(reply, link.mac().value(), mac.value()));
      case BY_ROUTER -> out.add(macs(reply, link.mac().value(), ROUTER.value()));
      case ASKED_FOR -> {
        if (!address.isV6()) {
          IpAddress other = IpAddress.of("192.0.2.250");
          out.add(ProbeFrames.arpRequest(asIf(mac), MacAddress.BROADCAST.value(), address, other));
        }
      }
      case NONE -> {}
    }
  }

  private static byte[] macs(byte[] frame, long destination, long source) {
    EthernetHeader.setAddresses(Unpooled.wrappedBuffer(frame), 0, destination, source);
    return frame;
  }

  private static void source(byte[] frame, IpAddress address) {
    int at = EthernetHeader.LENGTH + (address.isV6() ? Ipv6Header.SOURCE_OFFSET : Ipv4Header.SOURCE_OFFSET);
    System.arraycopy(address.octets(), 0, frame, at, address.octets().length);
    if (!address.isV6()) {
      Ipv4Header.updateChecksum(Unpooled.wrappedBuffer(frame), EthernetHeader.LENGTH);
    }
  }

  /** The same packet the other way; checksums of replies are nobody's concern here. */
  private static byte[] turned(byte[] frame, boolean v6) {
    byte[] turned = frame.clone();
    int length = v6 ? 16 : 4;
    int from = EthernetHeader.LENGTH + (v6 ? Ipv6Header.SOURCE_OFFSET : Ipv4Header.SOURCE_OFFSET);
    System.arraycopy(frame, from + length, turned, from, length);
    System.arraycopy(frame, from, turned, from + length, length);
    turned[EthernetHeader.LENGTH + (v6 ? Ipv6Header.HOP_LIMIT_OFFSET : Ipv4Header.TIME_TO_LIVE_OFFSET)] = 64;
    if (!v6) {
      Ipv4Header.updateChecksum(Unpooled.wrappedBuffer(turned), EthernetHeader.LENGTH);
    }
    return turned;
  }

  private static int transport(boolean v6) {
    return EthernetHeader.LENGTH + (v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH);
  }

  private static byte[] echoReply(byte[] frame, boolean v6) {
    byte[] reply = turned(frame, v6);
    reply[transport(v6)] = (byte) (v6 ? IcmpHeader.V6_ECHO_REPLY : IcmpHeader.ECHO_REPLY);
    return reply;
  }

  private byte[] segmentReply(FrameView view, byte[] frame, IpAddress destination) {
    boolean v6 = view.isV6();
    boolean tcp = view.protocol() == IpProtocol.TCP;
    if (silentPort || tcp && (view.tcpFlags() & TcpHeader.SYN) == 0) {
      return null;
    }
    boolean open = ports.contains(view.destinationPort()) && listening.contains(destination);
    if (prohibitsPort || !open && !tcp) {
      return unreachable(frame, v6, prohibitsPort);
    }
    byte[] reply = turned(frame, v6);
    ByteBuf buffer = Unpooled.wrappedBuffer(reply);
    int at = transport(v6);
    buffer.setInt(at, view.destinationPort() << 16 | view.sourcePort());
    if (tcp) {
      buffer.setInt(at + TcpHeader.ACKNOWLEDGMENT_OFFSET, view.tcpSequence() + 1);
      buffer.setByte(at + TcpHeader.FLAGS_OFFSET, TcpHeader.ACK | (open ? TcpHeader.SYN : TcpHeader.RST));
    } else if (wildcardUdp) {
      source(reply, address);
    }
    return reply;
  }

  private static byte[] unreachable(byte[] frame, boolean v6, boolean prohibited) {
    int quoted = transport(v6) - EthernetHeader.LENGTH + UdpHeader.LENGTH;
    byte[] error = new byte[transport(v6) + IcmpHeader.LENGTH + quoted];
    byte[] turned = turned(frame, v6);
    System.arraycopy(turned, 0, error, 0, transport(v6));
    System.arraycopy(frame, EthernetHeader.LENGTH, error, transport(v6) + IcmpHeader.LENGTH, quoted);
    ByteBuf buffer = Unpooled.wrappedBuffer(error);
    int ip = EthernetHeader.LENGTH;
    if (v6) {
      buffer.setShort(ip + Ipv6Header.PAYLOAD_LENGTH_OFFSET, IcmpHeader.LENGTH + quoted);
      buffer.setByte(ip + Ipv6Header.NEXT_HEADER_OFFSET, IpProtocol.ICMPV6);
    } else {
      buffer.setShort(ip + Ipv4Header.TOTAL_LENGTH_OFFSET, error.length - ip);
      buffer.setByte(ip + Ipv4Header.PROTOCOL_OFFSET, IpProtocol.ICMP);
      Ipv4Header.updateChecksum(buffer, ip);
    }
    error[transport(v6)] = (byte) (v6 ? IcmpHeader.V6_UNREACHABLE : IcmpHeader.UNREACHABLE);
    error[transport(v6) + 1] = (byte) (prohibited ? v6 ? 1 : 13 : v6 ? 4 : 3);
    return error;
  }
}

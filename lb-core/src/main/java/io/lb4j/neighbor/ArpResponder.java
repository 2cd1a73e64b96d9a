package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.ByteBuf;

/**
 * What is done with received ARP, in the order of RFC 826: conflicts are seen, the sender is merged when it is a
 * registered next hop, then a request for one of our addresses is answered in place. Guarded by the link layer's lock.
 *
 * <p>A real server that announces the virtual address on its loopback interface shows up here as a conflict with the
 * server's MAC address.
 */
final class ArpResponder {
  private final NeighborTable table;
  private final Resolver resolver;
  private final Claims claims;
  private final ServerClaims serverClaims;

  ArpResponder(NeighborTable table, Resolver resolver, Claims claims, ServerClaims serverClaims) {
    this.table = table;
    this.resolver = resolver;
    this.claims = claims;
    this.serverClaims = serverClaims;
  }

  Verdict onArp(FrameView view, OwnedAddresses owned, long nowNs, FrameOutput out) {
    ByteBuf buffer = view.buffer();
    int arp = view.network();
    if (arp + ArpPacket.LENGTH > view.start() + view.length() || !ArpPacket.isIpv4OverEthernet(buffer, arp)) {
      return Verdict.ARP_MALFORMED;
    }
    long senderMac = ArpPacket.senderHardware(buffer, arp);
    IpAddress sender = IpAddress.v4(ArpPacket.senderProtocol(buffer, arp));
    IpAddress target = IpAddress.v4(ArpPacket.targetProtocol(buffer, arp));
    int operation = ArpPacket.operation(buffer, arp);
    if (!NeighborTable.isUsable(senderMac) || !canBeSender(sender)) {
      return Verdict.ARP_MALFORMED;
    }
    boolean request = operation == ArpPacket.REQUEST;
    if (!request && operation != ArpPacket.REPLY || owned.isOwnMac(senderMac)) {
      return Verdict.PASS;
    }
    int link = view.ingress();
    if (isConflict(link, sender, request ? target : sender, senderMac, nowNs, out)) {
      return Verdict.PASS;
    }
    Neighbor neighbor = sender.isUnspecified() ? null : table.find(link, sender);
    if (neighbor != null) {
      boolean gratuitous = sender.equals(target);
      resolver.onArp(neighbor, senderMac, !request && !gratuitous, nowNs);
    }
    return request && isAnswered(link, target, owned) ? answer(view, senderMac, sender, target, owned) : Verdict.PASS;
  }

  /** The unspecified sender probes for an address; group, loopback and "this network" addresses never send. */
  private static boolean canBeSender(IpAddress sender) {
    return sender.isUnspecified() || !sender.isMulticast() && !sender.isLoopback() && sender.low() >>> 24 != 0
        && sender.low() >>> 28 != 0xF;
  }

  private boolean isConflict(
      int link, IpAddress sender, IpAddress target, long senderMac, long nowNs, FrameOutput out) {
    Claim claim = claims.find(link, sender.isUnspecified() ? target : sender);
    if (claim == null || sender.isUnspecified() && claim.phase != Claim.Phase.PROBING) {
      return false;
    }
    if (!sender.isUnspecified()) {
      serverClaims.onClaim(claim, senderMac, !sender.equals(target), nowNs);
    }
    claims.conflict(claim, senderMac, nowNs, out);
    return true;
  }

  private boolean isAnswered(int link, IpAddress target, OwnedAddresses owned) {
    Claim claim = claims.find(link, target);
    if (claim != null) {
      return claim.phase == Claim.Phase.CLAIMED;
    }
    return owned.isAnsweredInterface(link, target) || owned.isAnsweredPrefix(link, target);
  }

  private static Verdict answer(
      FrameView view, long senderMac, IpAddress sender, IpAddress target, OwnedAddresses owned) {
    long mac = owned.links().get(view.ingress()).mac().value();
    EthernetHeader.setAddresses(view.buffer(), view.start(), senderMac, mac);
    ArpPacket.write(
        view.buffer(), view.network(), ArpPacket.REPLY, mac, (int) target.low(), senderMac, (int) sender.low());
    view.setEgress(view.ingress());
    return Verdict.ANSWER;
  }
}

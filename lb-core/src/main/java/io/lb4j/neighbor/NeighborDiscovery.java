package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.topology.Link;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.NeighborMessage;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * What is done with received neighbour solicitations and advertisements that passed their checks (RFC 4861, section
 * 7.2). Guarded by the link layer's lock.
 */
final class NeighborDiscovery {
  private final NeighborTable table;
  private final Resolver resolver;
  private final Claims claims;
  private final ServerClaims serverClaims;
  private final LinkFrames frames;

  NeighborDiscovery(
      NeighborTable table, Resolver resolver, Claims claims, ServerClaims serverClaims, LinkFrames frames) {
    this.table = table;
    this.resolver = resolver;
    this.claims = claims;
    this.serverClaims = serverClaims;
    this.frames = frames;
  }

  Verdict onSolicitation(FrameView view, OwnedAddresses owned, long nowNs, FrameOutput out) {
    int link = view.ingress();
    IpAddress source = IpAddress.v6(view.sourceHigh(), view.sourceLow());
    IpAddress target = target(view);
    long named = linkLayerAddress(view, NeighborMessage.SOURCE_LINK_LAYER);
    long mac = named != NeighborMessage.NO_ADDRESS ? named : EthernetHeader.source(view.buffer(), view.start());
    if (!NeighborTable.isUsable(mac)) {
      return Verdict.NEIGHBOR_MESSAGE_MALFORMED;
    }
    if (owned.isOwnMac(mac)) {
      return Verdict.PASS;
    }
    Claim asker = source.isUnspecified() ? null : claims.find(link, source);
    if (asker != null) {
      serverClaims.onClaim(asker, mac, true, nowNs);
    }
    Claim claim = claims.find(link, target);
    if (source.isUnspecified() && claim != null && claim.phase == Claim.Phase.PROBING) {
      claims.conflict(claim, mac, nowNs, out); // two probe at the same time (RFC 4862, section 5.4.3)
      return Verdict.PASS;
    }
    Neighbor neighbor = named == NeighborMessage.NO_ADDRESS ? null : table.find(link, source);
    if (neighbor != null) {
      resolver.onSolicitation(neighbor, named, nowNs);
    }
    if (!isAnswered(link, target, claim, owned)) {
      return Verdict.PASS;
    }
    return source.isUnspecified()
        ? answer(view, owned, MacAddress.ofIpv6Multicast(LinkFrames.ALL_NODES).value(), LinkFrames.ALL_NODES, 0, out)
        : answer(view, owned, mac, source, NeighborMessage.SOLICITED, out);
  }

  private static boolean isAnswered(int link, IpAddress target, @Nullable Claim claim, OwnedAddresses owned) {
    if (claim != null) {
      return claim.phase == Claim.Phase.CLAIMED;
    }
    return owned.isAnsweredInterface(link, target) || owned.isAnsweredPrefix(link, target);
  }

  /** Answers in place when there is room, else by a frame of its own (RFC 4861, section 7.2.4). */
  private Verdict answer(
      FrameView view, OwnedAddresses owned, long mac, IpAddress destination, int solicited, FrameOutput out) {
    Link link = owned.links().get(view.ingress());
    IpAddress target = target(view);
    int header = view.network() - view.start();
    int length = header + LinkFrames.ADVERTISEMENT_LENGTH;
    long marks = FrameMarks.tagOf(view.marks()); // the answer's checksum is whole
    if (view.length() >= length) {
      ByteBuf buffer = view.buffer();
      LinkFrames.writeAdvertisement(buffer, view.start(), view.network(), link, mac, destination, target, solicited);
      buffer.setZero(view.start() + length, view.length() - length);
      view.setMarks(marks);
      view.setEgress(view.ingress());
    } else {
      ByteBuf frame = frames.frame(length);
      frame.setBytes(0, view.buffer(), view.start(), header); // tags and EtherType
      LinkFrames.writeAdvertisement(frame, 0, header, link, mac, destination, target, solicited);
      out.transmit(view.ingress(), frame, marks);
    }
    return Verdict.ANSWER;
  }

  Verdict onAdvertisement(FrameView view, OwnedAddresses owned, long nowNs, FrameOutput out) {
    int link = view.ingress();
    IpAddress target = target(view);
    long named = linkLayerAddress(view, NeighborMessage.TARGET_LINK_LAYER);
    long mac = named != NeighborMessage.NO_ADDRESS ? named : EthernetHeader.source(view.buffer(), view.start());
    if (!NeighborTable.isUsable(mac)) {
      return Verdict.NEIGHBOR_MESSAGE_MALFORMED;
    }
    if (owned.isOwnMac(mac)) {
      return Verdict.PASS;
    }
    Claim claim = claims.find(link, target);
    if (claim != null) {
      serverClaims.onClaim(claim, mac, false, nowNs);
      claims.conflict(claim, mac, nowNs, out);
      return Verdict.PASS;
    }
    Neighbor neighbor = table.find(link, target);
    if (neighbor != null) {
      int flags = NeighborMessage.flags(view.buffer(), view.transport());
      resolver.onAdvertisement(neighbor, named, flags, nowNs);
    }
    return Verdict.PASS;
  }

  private static IpAddress target(FrameView view) {
    return IpAddress.v6(
        NeighborMessage.targetHigh(view.buffer(), view.transport()),
        NeighborMessage.targetLow(view.buffer(), view.transport()));
  }

  private static long linkLayerAddress(FrameView view, int type) {
    return NeighborMessage.linkLayerAddress(
        view.buffer(), view.transport() + NeighborMessage.LENGTH, view.networkEnd(), type);
  }
}

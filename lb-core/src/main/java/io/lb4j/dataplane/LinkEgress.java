package io.lb4j.dataplane;

import io.lb4j.forward.Egress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.PartialChecksum;
import io.lb4j.frame.Segments;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.HeldFrameListener;
import io.lb4j.neighbor.HeldFrames;
import io.lb4j.neighbor.LinkLayer;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.topology.Link;
import java.util.List;

/** Writes the link layer of frames that leave. Owned by one worker; allocates nothing unless a frame is held. */
final class LinkEgress implements Egress {
  private final NeighborTable neighbors;
  private final LinkLayer linkLayer;
  private final HeldFrames heldFrames;
  private final HeldFrameListener heldFrameEnded;
  private final RouteTable routes;
  private final Link[] links;
  private final long[] macs;
  private long nowNs;
  private boolean cutsSuperFrames;

  LinkEgress(
      List<Link> links,
      RouteTable routes,
      NeighborTable neighbors,
      LinkLayer linkLayer,
      HeldFrames heldFrames,
      HeldFrameListener heldFrameEnded) {
    this.routes = routes;
    this.neighbors = neighbors;
    this.linkLayer = linkLayer;
    this.heldFrames = heldFrames;
    this.heldFrameEnded = heldFrameEnded;
    this.links = links.toArray(Link[]::new);
    this.macs = links.stream().mapToLong(link -> link.mac().value()).toArray();
  }

  /** Super-frames leave by every interface from now on, because whoever sends them cuts them. */
  void cutSuperFrames() {
    cutsSuperFrames = true;
  }

  void at(long burstNs) {
    this.nowNs = burstNs;
  }

  @Override
  public Verdict send(FrameView frame, int link, int neighbor) {
    if (frame.marks() != FrameMarks.NONE && !finishMarks(frame, links[link])) {
      return frame.end(Verdict.GSO_NOT_CARRIED);
    }
    return sendUnmarked(frame, link, neighbor) ? Verdict.FORWARD : hold(frame, link, neighbor);
  }

  /** Sends a frame without marks; false, and nothing has changed, when the next hop's MAC address is not known. */
  boolean sendUnmarked(FrameView frame, int link, int neighbor) {
    long mac = neighbors.mac(neighbor);
    if (mac == NeighborTable.UNRESOLVED) {
      return false;
    }
    frame.setMacs(mac, macs[link]);
    frame.setEgress(link);
    frame.end(Verdict.FORWARD);
    return true;
  }

  @Override
  public long route(boolean v6, long high, long low) {
    return routes.find(v6, high, low);
  }

  @Override
  public int linkTowards(boolean v6, long high, long low) {
    return routes.linkTowards(v6, high, low);
  }

  @Override
  public int mtu(int link) {
    return links[link].mtu();
  }

  @Override
  public boolean carriesGso(int link) {
    return links[link].carriesGso();
  }

  private Verdict hold(FrameView frame, int link, int neighbor) {
    linkLayer.solicit(neighbor);
    return frame.end(heldFrames.hold(frame, link, neighbor, nowNs, heldFrameEnded));
  }

  /** Finishes what the link cannot carry beside the bytes; false when it cannot be finished. */
  private boolean finishMarks(FrameView frame, Link link) {
    long marks = frame.marks();
    if ((marks & FrameMarks.GSO) != 0 && !link.carriesGso()) {
      return cutsSuperFrames && Segments.areClear(frame); // with its marks, by which it is cut
    }
    if ((marks & FrameMarks.CHECKSUM_PARTIAL) != 0 && !link.carriesPartialChecksums()) {
      PartialChecksum.complete(frame);
    }
    return true;
  }
}

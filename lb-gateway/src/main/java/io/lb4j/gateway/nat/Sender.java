package io.lb4j.gateway.nat;

import io.lb4j.frame.FrameView;
import io.lb4j.frame.Segments;
import io.lb4j.frame.Verdict;

/** Rewrites packets and sends them on, or round again. Owned by one worker. */
final class Sender {
  private final Departure departure;
  private final Identifications identifications;

  Sender(Departure departure, Identifications identifications) {
    this.departure = departure;
    this.identifications = identifications;
  }

  /** Why a packet cannot go where its tuple says, told to its sender; null when it can. */
  Verdict refusal(FrameView view, long route, boolean around) {
    if (!around) {
      return departure.refusal(view, route);
    }
    return Departure.hasNoLife(view) ? departure.timeExceeded(view) : null;
  }

  /** The route of what a packet becomes; of no meaning for one that goes round again. */
  long route(Tuple to, boolean around) {
    return around ? 0 : departure.route(to);
  }

  /** Rewrites a packet that was not refused, and sends it. */
  Verdict send(FrameView view, Tuple to, long route, boolean around) {
    rewrite(view, to, route, around);
    return depart(view, route, around);
  }

  void rewrite(FrameView view, Tuple to, long route, boolean around) {
    if (!around) {
      departure.prepare(view, route);
    }
    Rewriter.packet(view, to, identification(view, to), !around);
  }

  Verdict depart(FrameView view, long route, boolean around) {
    return around ? departure.sendAround(view) : departure.send(view, route);
  }

  /** A packet that keeps addresses and ports. */
  Verdict sendUnchanged(FrameView view, long route) {
    departure.prepare(view, route);
    Rewriter.countDown(view);
    return departure.send(view, route);
  }

  /** Hosts that share a source address must not share identifications. */
  private long identification(FrameView view, Tuple to) {
    boolean shared = to.sourceLow != view.sourceLow() || to.sourceHigh != view.sourceHigh();
    if (!shared || !Identifications.matters(view)) {
      return Rewriter.KEEP;
    }
    return view.knownIdentification() >= 0
        ? view.knownIdentification()
        : identifications.next(to, Segments.count(view)) & 0xFFFF_FFFFL;
  }
}

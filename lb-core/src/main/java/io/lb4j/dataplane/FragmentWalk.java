package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.forward.Steering;
import io.lb4j.forward.TranslatedHeader;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The branch of fragments: the first one has the ports and goes the way of a whole packet; the others follow it, and
 * wait for it when they come earlier. Owned by one worker.
 *
 * <p>With several workers the fragments of a datagram meet at one of them, which their addresses alone tell. There the
 * first one shows whose the datagram is, goes to that worker, and the others go after it in the order they came.
 */
final class FragmentWalk {
  private final WorkerState state;
  private final ServiceWalk services;
  private final FragmentTable fragments;
  private final FramePipeline.HeldEnd heldEnd;
  private final FrameView released = new FrameView();
  private final FragmentTable.Ended noFirst;

  FragmentWalk(WorkerState state, ServiceWalk services, FragmentTable fragments, FramePipeline.HeldEnd heldEnd) {
    this.state = state;
    this.services = services;
    this.fragments = fragments;
    this.heldEnd = heldEnd;
    this.noFirst = held -> end(held, Verdict.FRAGMENT_NO_FIRST);
  }

  /** A first fragment of TCP or UDP. */
  Verdict onFirst(FrameView view) {
    state.hash(view);
    if (!isOurs(view)) {
      return services.onSegment(view);
    }
    FragmentTable.Datagram datagram = fragments.of(view, state.nowNs, noFirst);
    int serial = datagram.serial();
    keepIdentification(view, datagram);
    Verdict elsewhere = handOver(view);
    return decide(view, elsewhere == null ? services.onSegment(view) : elsewhere, datagram, serial);
  }

  /** A first fragment of an ICMP query that crosses, which has an identifier instead of ports. */
  Verdict onFirstQuery(FrameView view) {
    if (!isOurs(view)) {
      return services.onUnserved(view, Verdict.PROTOCOL_NOT_SERVED);
    }
    FragmentTable.Datagram datagram = fragments.of(view, state.nowNs, noFirst);
    int serial = datagram.serial();
    keepIdentification(view, datagram);
    Verdict elsewhere = handOver(view);
    Verdict verdict = elsewhere == null ? services.onUnserved(view, Verdict.PROTOCOL_NOT_SERVED) : elsewhere;
    return decide(view, verdict, datagram, serial);
  }

  /** Gives a first fragment to the worker that has its flow; null when that is this one. */
  private @Nullable Verdict handOver(FrameView view) {
    if (!state.isShared()) {
      return null;
    }
    if (state.takenOver == null) {
      int owner = state.steering.ownerOf(view);
      if (owner != state.worker) {
        return state.handOver(view, owner, HandOver.Reason.FRAGMENT);
      }
    }
    boolean isLast = state.takenOver != null && state.takenOver != HandOver.Reason.FRAGMENT;
    int other = isLast || view.kind() != FrameKind.FIRST_FRAGMENT ? Steering.NOBODY : state.steering.otherOwnerOf(view);
    boolean elsewhere = other != Steering.NOBODY && other != state.worker && services.isUnknown(view);
    return elsewhere ? state.handOver(view, other, HandOver.Reason.UNKNOWN_FLOW) : null;
  }

  /** A first fragment that came twice must not give the datagram two identifications. */
  private static void keepIdentification(FrameView view, FragmentTable.Datagram datagram) {
    TranslatedHeader before = datagram.translation();
    if (before != null) {
      view.setKnownIdentification(before.identification & 0xFFFF_FFFFL);
    }
  }

  /** A packet that looped through us may have begun a datagram in the same place: then the older one is forgotten. */
  private Verdict decide(FrameView view, Verdict verdict, FragmentTable.Datagram datagram, int serial) {
    view.end(verdict);
    if (datagram.serial() != serial) {
      return verdict;
    }
    if (verdict == Verdict.HANDED_OVER) {
      return decideElsewhere(view, datagram);
    }
    boolean accepted = verdict == Verdict.FORWARD || verdict == Verdict.HOLD;
    fragments.decide(datagram, accepted ? view.binding() : FragmentTable.REFUSED, state.nowNs);
    if (accepted && isTranslated(view)) {
      readHeader(view, datagram.translate());
    }
    releaseWaiting(datagram);
    return verdict;
  }

  /** The view still tells, though not the frame's bytes, what was read before it was handed over. */
  private Verdict decideElsewhere(FrameView view, FragmentTable.Datagram datagram) {
    fragments.decideElsewhere(datagram, state.handedTo, state.nowNs);
    if (!datagram.is(view)) {
      keepHeader(view, datagram.translate()); // it was translated before it went round
    }
    releaseWaiting(datagram);
    return Verdict.HANDED_OVER;
  }

  private static void keepHeader(FrameView view, TranslatedHeader header) {
    header.sourceHigh = view.sourceHigh();
    header.sourceLow = view.sourceLow();
    header.destinationHigh = view.destinationHigh();
    header.destinationLow = view.destinationLow();
    header.identification = view.identification();
  }

  /** Direct methods leave the network header as it is, and have a server. */
  private boolean isTranslated(FrameView view) {
    Binding binding = state.table.binding(view.binding());
    return state.translator != null && (binding == null || !binding.service().isDirect());
  }

  private static void readHeader(FrameView view, TranslatedHeader header) {
    ByteBuf buffer = view.buffer();
    int ip = view.network();
    if (view.isV6()) {
      header.sourceHigh = buffer.getLong(ip + Ipv6Header.SOURCE_OFFSET);
      header.sourceLow = buffer.getLong(ip + Ipv6Header.SOURCE_OFFSET + 8);
      header.destinationHigh = buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET);
      header.destinationLow = buffer.getLong(ip + Ipv6Header.DESTINATION_OFFSET + 8);
      header.identification = buffer.getInt(view.fragmentHeader() + 4);
    } else {
      header.sourceHigh = 0;
      header.sourceLow = Ipv4Header.source(buffer, ip) & 0xFFFF_FFFFL;
      header.destinationHigh = 0;
      header.destinationLow = Ipv4Header.destination(buffer, ip) & 0xFFFF_FFFFL;
      header.identification = buffer.getUnsignedShort(ip + Ipv4Header.IDENTIFICATION_OFFSET);
    }
  }

  /** Fragments to a virtual address, or that the translator may let cross. */
  private boolean isOurs(FrameView view) {
    return state.isToVip(view) || state.translator != null && !state.isToInterface(view);
  }

  Verdict onLater(FrameView view) {
    if (!isOurs(view)) {
      return Verdict.PASS;
    }
    if (state.translator == null && !isServed(view) && !view.isV6()) {
      return state.table.unserved() == UnservedPolicy.PASS ? Verdict.PASS : Verdict.PROTOCOL_NOT_SERVED;
    }
    FragmentTable.Datagram datagram = fragments.of(view, state.nowNs, noFirst);
    if (datagram.binding() == FragmentTable.WAITING) {
      return fragments.hold(datagram, view) ? Verdict.HOLD : Verdict.FRAGMENT_NO_ROOM;
    }
    return follow(view, datagram);
  }

  private boolean isServed(FrameView view) {
    boolean tcp = view.protocol() == IpProtocol.TCP;
    boolean transport = tcp || view.protocol() == IpProtocol.UDP;
    return transport
        && state.table.serviceTable().serves(view.isV6(), view.destinationHigh(), view.destinationLow(), tcp);
  }

  /** Translated as its first fragment was before it went round, and after it to the other worker. */
  private Verdict followElsewhere(FrameView view, FragmentTable.Datagram datagram) {
    TranslatedHeader header = datagram.translation();
    if (header == null) {
      return state.handOver(view, datagram.owner(), HandOver.Reason.FRAGMENT);
    }
    writeHeader(view, header);
    return state.handOver(view, datagram.owner(), HandOver.Reason.HAIRPIN);
  }

  private static void writeHeader(FrameView view, TranslatedHeader header) {
    ByteBuf buffer = view.buffer();
    int ip = view.network();
    if (view.isV6()) {
      buffer.setLong(ip + Ipv6Header.SOURCE_OFFSET, header.sourceHigh);
      buffer.setLong(ip + Ipv6Header.SOURCE_OFFSET + 8, header.sourceLow);
      buffer.setLong(ip + Ipv6Header.DESTINATION_OFFSET, header.destinationHigh);
      buffer.setLong(ip + Ipv6Header.DESTINATION_OFFSET + 8, header.destinationLow);
      buffer.setInt(view.fragmentHeader() + 4, header.identification);
    } else {
      buffer.setInt(ip + Ipv4Header.SOURCE_OFFSET, (int) header.sourceLow);
      buffer.setInt(ip + Ipv4Header.DESTINATION_OFFSET, (int) header.destinationLow);
      buffer.setShort(ip + Ipv4Header.IDENTIFICATION_OFFSET, header.identification);
      Ipv4Header.updateChecksum(buffer, ip);
    }
  }

  private Verdict follow(FrameView view, FragmentTable.Datagram datagram) {
    int id = datagram.binding();
    if (id == FragmentTable.ELSEWHERE) {
      return followElsewhere(view, datagram);
    }
    if (id == FragmentTable.REFUSED) {
      return Verdict.FRAGMENT_REFUSED;
    }
    Binding binding = state.table.binding(id);
    if (id != FragmentTable.NO_SERVER && (binding == null || !binding.keepsFlows())) {
      return Verdict.SERVER_GONE;
    }
    TranslatedHeader path = datagram.translation();
    if (path == null) {
      return services.forward(view, binding);
    }
    Verdict verdict = state.translator.follow(view, path);
    if (verdict == Verdict.FORWARD && binding != null) {
      view.setBinding(id);
      if (isTo(binding.target().address(), path)) {
        state.counters.onServerFrame(id, view.length());
      } else {
        state.counters.onReplyFrame(id, view.length());
      }
    }
    return verdict;
  }

  private static boolean isTo(IpAddress server, TranslatedHeader path) {
    return path.destinationLow == server.low() && path.destinationHigh == server.high();
  }

  private void releaseWaiting(FragmentTable.Datagram datagram) {
    FragmentTable.Held held = fragments.takeHeld(datagram);
    for (; held != null; held = fragments.takeHeld(datagram)) {
      released.wrap(held.frame, 0, held.frame.readableBytes(), held.marks, held.ingress);
      released.setTag(held.tag);
      FrameParser.parse(released);
      Verdict verdict = follow(released, datagram);
      if (verdict == Verdict.FORWARD && released.egress() >= 0) {
        end(held, Verdict.FORWARD, released.egress(), released.binding());
        state.out.transmit(released.egress(), held.frame, released.marks());
      } else if (verdict.kind() == Verdict.Kind.HOLD) {
        held.frame.release(); // copied once more, it waits for its next hop now, or is another worker's
      } else {
        end(held, verdict);
      }
    }
  }

  private void end(FragmentTable.Held held, Verdict verdict) {
    end(held, verdict, -1, 0);
    held.frame.release();
  }

  private void end(FragmentTable.Held held, Verdict verdict, int egressLink, int binding) {
    heldEnd.end(held.tag, verdict, held.ingress, egressLink, binding, held.frame.readableBytes());
  }

  /** Ends fragments whose first one did not come in time. */
  void expire() {
    fragments.expire(state.nowNs, noFirst);
  }

  /** Ends all fragments that wait. */
  void endHeld(Verdict verdict) {
    fragments.forgetAll(held -> end(held, verdict));
  }
}

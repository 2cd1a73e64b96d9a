package io.lb4j.gateway.nat;

import static io.lb4j.wire.DirectMemory.base;
import static io.lb4j.wire.DirectMemory.getLongNative;
import static io.lb4j.wire.DirectMemory.setLongNative;

import io.lb4j.flow.FlowTable;
import io.lb4j.forward.Egress;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameGroup;
import io.lb4j.frame.FrameStep;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.IpProtocol;

/**
 * Nearly every frame of a gateway's services, either direction: a plain segment of an established connection, or a
 * datagram of a UDP session that was answered, to our MAC address, that fits the way out whole. Whatever is otherwise
 * is left to the walk, which would end these frames in the same way. Owned by one worker; allocates nothing.
 */
final class SessionFastPath {
  private static final int IN_USE = 1 << SessionState.ESTABLISHED | 1 << SessionState.UDP;

  private final SessionAccounting accounting;
  private final Egress egress;
  private final Sessions sessions;
  private final Mappings mappings;
  private final FrameStep find = this::lookUp;
  private final FrameStep[] steps = {this::decide, this::rewriteHeaders, this::rewritePorts, this::send};
  private final FrameGroup group = new FrameGroup();
  private final long[] routes = new long[FrameBatch.CAPACITY];
  private final long[] deltas = new long[FrameBatch.CAPACITY]; // what new addresses add to a checksum
  private final int[] bindings = new int[FrameBatch.CAPACITY];
  private final boolean[] replies = new boolean[FrameBatch.CAPACITY];

  SessionFastPath(TranslatorContext context, Sessions sessions, Mappings mappings) {
    this.accounting = context.accounting();
    this.egress = context.egress();
    this.sessions = sessions;
    this.mappings = mappings;
  }

  /** As {@link io.lb4j.forward.Translator#forward}. */
  int forward(FrameView[] views, int frames) {
    int known = FrameStep.run(find, views, frames);
    group.gather(views, known);
    FrameStep.runAll(steps, group.views(), group.frames());
    return frames & ~known;
  }

  /** Finds entries. */
  private int lookUp(FrameView[] views, int first, int end) {
    SessionTable v4 = sessions.tableOf(false);
    SessionTable v6 = sessions.tableOf(true);
    int missed = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      long place = SessionTable.NOWHERE;
      if (!view.isV6()) {
        place =
            v4.place4(
                view.hash(), view.sourceLow() << 32 | view.destinationLow(), view.ports(), view.protocol());
      } else if (v6 != null) {
        place =
            v6.place6(
                view.hash(),
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                view.protocol());
      }
      view.setFlow(place);
      if (place == SessionTable.NOWHERE) {
        missed |= 1 << i;
      }
    }
    return missed;
  }

  /** Records frames and decides where they go, except for those that are to be walked. */
  private int decide(FrameView[] views, int first, int end) {
    int tick = sessions.tick();
    boolean hasExternal = mappings.hasExternal();
    int leftOut = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      long at = view.flow() + (view.isV6() ? SessionTable.V6_WORD : SessionTable.V4_WORD);
      long word = getLongNative(base(at));
      if (!isUsual(word, view.tcpFlags(), tick) || hasExternal && isFromExternal(view)) {
        leftOut |= 1 << i;
        continue;
      }
      int binding = Word.binding(word);
      boolean reply = Word.has(word, Word.REPLY);
      long route = accounting.way(binding);
      if (reply && route != SessionAccounting.NO_WAY) {
        boolean fromServer = view.ingress() == Egress.linkOf(route); // a server speaks from where it is
        route = fromServer ? clientRoute(view) : Egress.NO_ROUTE;
      }
      if (route == Egress.NO_ROUTE || !UsualRewriter.mayPass(view, egress.mtu(Egress.linkOf(route)))) {
        leftOut |= 1 << i;
        continue;
      }
      long seen = Word.withTick(view.protocol() == IpProtocol.TCP ? TcpStates.withNext(word, view) : word, tick);
      if (seen != word) {
        setLongNative(base(at), seen);
      }
      view.setBinding(reply ? 0 : binding); // a reply that is held until its next hop answers is no server's frame
      routes[i] = route;
      bindings[i] = binding;
      replies[i] = reply;
    }
    return leftOut;
  }

  private int rewriteHeaders(FrameView[] views, int first, int end) {
    SessionTable v6 = sessions.tableOf(true);
    boolean changesBoth = v6 != null && v6.changesBoth();
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      deltas[i] =
          view.isV6()
              ? UsualRewriter.header6(
                  view, replies[i], changesBoth ? v6.otherPlace(view.flow()) : SessionTable.NOWHERE)
              : UsualRewriter.header4(view);
    }
    return 0;
  }

  private int rewritePorts(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      UsualRewriter.ports(views[i], deltas[i]);
    }
    return 0;
  }

  private int send(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      long route = routes[i];
      if (egress.send(view, Egress.linkOf(route), Egress.neighborOf(route)) == Verdict.FORWARD) {
        view.setBinding(bindings[i]);
        accounting.onFrame(bindings[i], replies[i], view.length());
      }
    }
    return 0;
  }

  private static boolean isUsual(long word, int tcpFlags, int tick) {
    return Word.isPlain(word)
        && (IN_USE >>> Word.state(word) & 1) != 0
        && (tcpFlags & TcpStates.ANY_STATE_FLAGS) == 0
        && Word.age(word, tick) <= FlowTable.FRESH_TICKS;
  }

  private boolean isFromExternal(FrameView view) {
    return mappings.isExternal(view.isV6(), view.sourceHigh(), view.sourceLow());
  }

  private long clientRoute(FrameView view) {
    if (!view.isV6()) {
      return egress.route(false, 0, getLongNative(base(view.flow()) + SessionTable.NEW_ADDRESSES_4) & 0xFFFF_FFFFL);
    }
    SessionTable v6 = sessions.tableOf(true);
    if (!v6.changesBoth()) {
      return egress.route(true, view.destinationHigh(), view.destinationLow());
    }
    long client = base(v6.otherPlace(view.flow()));
    return egress.route(true, getLongNative(client), getLongNative(client + 8));
  }
}

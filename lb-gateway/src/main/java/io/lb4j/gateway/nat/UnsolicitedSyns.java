package io.lb4j.gateway.nat;

import io.lb4j.forward.IcmpErrors;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.UnsolicitedSyn;
import io.lb4j.neighbor.HeldFrameListener;
import io.lb4j.wire.IcmpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * Inbound SYNs that nobody asked for: they wait six seconds for an outbound SYN, because both ends of a simultaneous
 * open may be behind translators (RFC 5382, REQ-4). Owned by one worker; it holds copies, {@link #CAPACITY} at most,
 * the oldest first.
 */
final class UnsolicitedSyns {
  static final int CAPACITY = 64;
  static final long WAIT_NS = 6_000_000_000L;

  private static final int PORT_UNREACHABLE = 3;
  private static final int V6_PORT_UNREACHABLE = 4;

  private static final class Waiting {
    final Tuple tuple = new Tuple();
    ByteBuf frame;
    long marks;
    long tag;
    int ingress;
    boolean again;
    long deadlineNs;
  }

  private final Waiting[] ring = new Waiting[CAPACITY];
  private final ByteBufAllocator allocator;
  private final IcmpErrors errors;
  private final UnsolicitedSyn policy;
  private final HeldFrameListener ended;
  private final FrameView view = new FrameView();
  private int head;
  private int count;
  private int superseded; // waiting entries whose frame is gone already

  UnsolicitedSyns(ByteBufAllocator allocator, IcmpErrors errors, UnsolicitedSyn policy, HeldFrameListener ended) {
    this.allocator = allocator;
    this.errors = errors;
    this.policy = policy;
    this.ended = ended;
    for (int i = 0; i < CAPACITY; i++) {
      ring[i] = new Waiting();
    }
  }

  int held() {
    return count - superseded;
  }

  /** Keeps a copy; a SYN that finds no room, or is a repetition of one that waits, is dropped at once. */
  Verdict hold(FrameView syn, Tuple tuple, long nowNs) {
    if (count == CAPACITY || find(tuple) != null) {
      return Verdict.UNSOLICITED_SYN;
    }
    Waiting waiting = ring[(head + count++) % CAPACITY];
    waiting.tuple.of(tuple);
    waiting.frame = allocator.buffer(syn.length(), syn.length());
    waiting.frame.writeBytes(syn.buffer(), syn.start(), syn.length());
    waiting.marks = syn.marks();
    waiting.tag = syn.tag();
    waiting.ingress = syn.ingress();
    waiting.again = syn.isAgain();
    waiting.deadlineNs = nowNs + WAIT_NS;
    return Verdict.HOLD;
  }

  private Waiting find(Tuple tuple) {
    for (int i = 0; i < count; i++) {
      Waiting waiting = ring[(head + i) % CAPACITY];
      Tuple held = waiting.tuple;
      if (waiting.frame != null
          && held.ports == tuple.ports
          && held.v6 == tuple.v6
          && held.sameSource(tuple)
          && held.sameDestination(tuple)) {
        return waiting;
      }
    }
    return null;
  }

  /** An outbound SYN left: one that waits for the same session from the other side is dropped without a word. */
  void onOutboundSyn(Tuple reply) {
    Waiting waiting = count == 0 ? null : find(reply);
    if (waiting != null) {
      end(waiting, Verdict.SYN_MET_OUTBOUND);
      superseded++;
    }
  }

  /** Ends those whose time is over; answers when the next one's is, or {@code otherwise}. */
  long expire(long nowNs, long otherwise) {
    while (count > 0 && ring[head].deadlineNs - nowNs <= 0) {
      Waiting waiting = ring[head];
      if (waiting.frame == null) {
        superseded--;
      } else {
        reject(waiting);
        end(waiting, Verdict.UNSOLICITED_SYN);
      }
      head = (head + 1) % CAPACITY;
      count--;
    }
    return count == 0 || ring[head].deadlineNs - otherwise > 0 ? otherwise : ring[head].deadlineNs;
  }

  private void reject(Waiting waiting) {
    if (policy == UnsolicitedSyn.REJECT) {
      view.wrap(waiting.frame, 0, waiting.frame.readableBytes(), waiting.marks, waiting.ingress);
      if (waiting.again) {
        FrameParser.parseAgain(view);
      } else {
        FrameParser.parse(view);
      }
      if (view.isV6()) {
        errors.send(view, IcmpHeader.V6_UNREACHABLE, V6_PORT_UNREACHABLE, 0);
      } else {
        errors.send(view, IcmpHeader.UNREACHABLE, PORT_UNREACHABLE, 0);
      }
    }
  }

  private void end(Waiting waiting, Verdict verdict) {
    int length = waiting.frame.readableBytes();
    waiting.frame.release();
    waiting.frame = null;
    ended.heldFrameEnded(waiting.tag, verdict, waiting.ingress, -1, 0, length);
  }

  /** Ends all that wait, without a word to their senders. */
  void endAll(Verdict verdict) {
    for (int i = 0; i < count; i++) {
      Waiting waiting = ring[(head + i) % CAPACITY];
      if (waiting.frame != null) {
        end(waiting, verdict);
      }
    }
    count = 0;
    superseded = 0;
  }
}

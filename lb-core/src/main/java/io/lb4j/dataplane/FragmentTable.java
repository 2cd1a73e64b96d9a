package io.lb4j.dataplane;

import io.lb4j.forward.TranslatedHeader;
import io.lb4j.frame.FrameView;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Which server the fragments of a datagram go to. Later fragments have no ports, so the first one decides; those that
 * come before it wait as copies. Owned by one worker. All bounds are fixed: a flood of fragments can push out other
 * fragments, never a flow, and never takes more memory than {@link #MAX_HELD_BYTES}.
 *
 * <p>Sets of {@link #WAYS} datagrams, found by a hash of addresses, identification and protocol (RFC 791, section 3.2;
 * RFC 8200, section 4.5). A full set gives up a datagram whose first fragment is still missing before one that is
 * known, and the oldest of its kind.
 */
final class FragmentTable {
  /** Datagrams that are known at the same time. */
  static final int DATAGRAMS = 1024;

  /** Fragments that wait at the same time. */
  static final int MAX_HELD = 512;

  /** Bytes of fragments that wait at the same time. */
  static final int MAX_HELD_BYTES = 1 << 20;

  /** Fragments of one datagram that wait at the same time: 64 KiB in frames of 1,500 bytes. */
  static final int MAX_HELD_PER_DATAGRAM = 45;

  /** How long later fragments wait for the first. */
  static final long WAIT_NS = 2_000_000_000L;

  /** How long a datagram is known: the longest reassembly time of RFC 791 and Linux. */
  static final long KNOWN_NS = 30_000_000_000L;

  /** The server of a datagram whose first fragment did not come yet. */
  static final int WAITING = 0;

  /** The server of a datagram whose first fragment was refused. */
  static final int REFUSED = -1;

  /** The answer for a datagram that is accepted and goes to no server. */
  static final int NO_SERVER = -2;

  /** The answer for a datagram that is another worker's. */
  static final int ELSEWHERE = -3;

  private static final int WAYS = 8;
  private static final int SETS = DATAGRAMS / WAYS;

  /** A fragment that waits. */
  static final class Held {
    final ByteBuf frame;
    final long marks;
    final long tag;
    final int ingress;

    Held(FrameView view, ByteBufAllocator allocator) {
      frame = allocator.buffer(view.length(), view.length());
      frame.writeBytes(view.buffer(), view.start(), view.length());
      marks = view.marks();
      tag = view.tag();
      ingress = view.ingress();
    }
  }

  /** A datagram some of whose fragments were seen. */
  static final class Datagram {
    private final Queue<Held> waiting = new ArrayDeque<>(0);
    private long sourceHigh;
    private long sourceLow;
    private long destinationHigh;
    private long destinationLow;
    private int identification;
    private int protocolAndFamily;
    private long deadlineNs;
    private boolean used;
    private int binding;
    private int owner;

    private @Nullable TranslatedHeader header;
    private boolean translated;
    private int serial;

    /** Changes whenever another datagram takes this place. */
    int serial() {
      return serial;
    }

    /** Marks the datagram as translated; the caller fills in what its header becomes. */
    TranslatedHeader translate() {
      if (header == null) {
        header = new TranslatedHeader();
      }
      translated = true;
      return header;
    }

    /** What the header becomes; null when it stays as it is. */
    @Nullable TranslatedHeader translation() {
      return translated ? header : null;
    }

    /** A binding id, {@link #WAITING}, {@link #REFUSED}, {@link #NO_SERVER} or {@link #ELSEWHERE}. */
    int binding() {
      return binding;
    }

    /** The worker that has the datagram, if it is {@link #ELSEWHERE}. */
    int owner() {
      return owner;
    }

    /** Whether a fragment, as its view tells it, is of this datagram. */
    boolean is(FrameView view) {
      return used
          && identification == view.identification()
          && sourceLow == view.sourceLow()
          && destinationLow == view.destinationLow()
          && sourceHigh == view.sourceHigh()
          && destinationHigh == view.destinationHigh()
          && protocolAndFamily == protocolAndFamily(view);
    }

    private void begin(FrameView view) {
      used = true;
      serial++;
      binding = WAITING;
      translated = false;
      identification = view.identification();
      sourceHigh = view.sourceHigh();
      sourceLow = view.sourceLow();
      destinationHigh = view.destinationHigh();
      destinationLow = view.destinationLow();
      protocolAndFamily = protocolAndFamily(view);
    }

    /** IPv6 identifies a datagram without the protocol, which need not be the same in every fragment. */
    private static int protocolAndFamily(FrameView view) {
      return view.isV6() ? 1 << 8 : view.protocol();
    }
  }

  /** Hears of fragments whose first one did not come. */
  interface Ended {
    /**
     * A fragment's wait is over.
     *
     * @param held the fragment, the receiver's to release
     */
    void end(Held held);
  }

  private final Datagram[] datagrams = new Datagram[DATAGRAMS];
  private final ByteBufAllocator allocator;
  private final long seed;
  private int used;
  private int held;
  private int heldBytes;

  FragmentTable(ByteBufAllocator allocator, long seed) {
    this.allocator = allocator;
    this.seed = seed;
    for (int i = 0; i < DATAGRAMS; i++) {
      datagrams[i] = new Datagram();
    }
  }

  int held() {
    return held;
  }

  boolean isEmpty() {
    return used == 0;
  }

  private int setOf(FrameView view) {
    long h = (view.sourceLow() ^ seed) * 0xFF51_AFD7_ED55_8CCDL;
    h = (h ^ h >>> 32 ^ view.sourceHigh() ^ view.destinationLow()) * 0xC4CE_B9FE_1A85_EC53L;
    h = (h ^ h >>> 29 ^ view.destinationHigh() ^ view.identification() ^ seed >>> 17) * 0x9E37_79B9_7F4A_7C15L;
    return (int) (h >>> 40) & SETS - 1;
  }

  /** The datagram of a fragment, begun if it was not known. */
  Datagram of(FrameView view, long nowNs, Ended ended) {
    int first = setOf(view) * WAYS;
    Datagram victim = datagrams[first];
    for (int i = first; i < first + WAYS; i++) {
      Datagram datagram = datagrams[i];
      if (datagram.is(view) && datagram.deadlineNs - nowNs > 0) {
        return datagram;
      }
      if (givesWayBefore(datagram, victim, nowNs)) {
        victim = datagram;
      }
    }
    forget(victim, ended);
    victim.begin(view);
    victim.deadlineNs = nowNs + WAIT_NS;
    used++;
    return victim;
  }

  private static boolean givesWayBefore(Datagram a, Datagram b, long nowNs) {
    int rankA = rank(a, nowNs);
    int rankB = rank(b, nowNs);
    return rankA != rankB ? rankA < rankB : a.deadlineNs - b.deadlineNs < 0;
  }

  private static int rank(Datagram datagram, long nowNs) {
    return !datagram.used ? 0 : datagram.deadlineNs - nowNs <= 0 ? 1 : datagram.binding == WAITING ? 2 : 3;
  }

  private void forget(Datagram datagram, Ended ended) {
    if (datagram.used) {
      endWaiting(datagram, ended);
      datagram.used = false;
      used--;
    }
  }

  private void endWaiting(Datagram datagram, Ended ended) {
    for (Held next = takeHeld(datagram); next != null; next = takeHeld(datagram)) {
      ended.end(next);
    }
  }

  /** Keeps a copy of a later fragment until the first comes; false when there is no room. */
  boolean hold(Datagram datagram, FrameView view) {
    boolean room =
        held < MAX_HELD
            && heldBytes + view.length() <= MAX_HELD_BYTES
            && datagram.waiting.size() < MAX_HELD_PER_DATAGRAM;
    if (room) {
      datagram.waiting.add(new Held(view, allocator));
      held++;
      heldBytes += view.length();
    }
    return room;
  }

  /** The first fragment came: the others follow it. */
  void decide(Datagram datagram, int binding, long nowNs) {
    datagram.binding = binding == 0 ? NO_SERVER : binding;
    datagram.translated = false;
    datagram.deadlineNs = nowNs + KNOWN_NS;
  }

  /** The first fragment went to another worker: the others follow it. */
  void decideElsewhere(Datagram datagram, int owner, long nowNs) {
    decide(datagram, ELSEWHERE, nowNs);
    datagram.owner = owner;
  }

  /** Takes a waiting fragment, the caller's to release; null when none waits. */
  Held takeHeld(Datagram datagram) {
    Held next = datagram.waiting.poll();
    if (next != null) {
      held--;
      heldBytes -= next.frame.readableBytes();
    }
    return next;
  }

  /** Ends what waited too long. */
  void expire(long nowNs, Ended ended) {
    if (used == 0) {
      return;
    }
    for (Datagram datagram : datagrams) {
      if (datagram.used && datagram.deadlineNs - nowNs <= 0) {
        forget(datagram, ended);
      }
    }
  }

  /** Ends all that waits, and knows no datagram any more. */
  void forgetAll(Ended ended) {
    for (Datagram datagram : datagrams) {
      forget(datagram, ended);
    }
  }
}

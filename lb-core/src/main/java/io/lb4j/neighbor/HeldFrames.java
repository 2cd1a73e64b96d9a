package io.lb4j.neighbor;

import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.topology.Link;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Frames that wait until their next hop's MAC address is known, in the order they came. Owned by one worker. It holds
 * copies, bounded in frames per next hop, frames and bytes; a frame that finds no room is refused, those that wait
 * stay. But the first frame of a next hop has the oldest ones give way (RFC 1122, section 2.3.2.2, wants one saved for
 * each): they have waited longest in vain, perhaps for hosts that are not there. A frame waits with its network and
 * transport bytes final; only the MAC addresses are written when it leaves.
 */
public final class HeldFrames implements AutoCloseable {
  private static final class Held {
    final ByteBuf frame;
    long marks;
    long tag;
    int ingress;
    int egress;
    int binding;
    int neighborId;
    long sinceNs;

    Held(ByteBuf frame) {
      this.frame = frame;
    }
  }

  private final NeighborTable neighbors;
  private final long[] linkMacs;
  private final NeighborSettings settings;
  private final ByteBufAllocator allocator;
  private final Held[] held; // the oldest first
  private int size;
  private int own; // frames of the balancer's own among them
  private int bytes;
  private long seenVersion; // of the table when the frames were looked at last
  private boolean added; // a frame came since then
  private @Nullable Thread owner;

  /**
   * Holds nothing yet.
   *
   * @param neighbors where MAC addresses are read
   * @param links all interfaces in the order of their indices, for source addresses
   * @param settings the bounds
   * @param allocator gives the copies' memory
   */
  public HeldFrames(
      NeighborTable neighbors, List<Link> links, NeighborSettings settings, ByteBufAllocator allocator) {
    this.neighbors = neighbors;
    this.linkMacs = links.stream().mapToLong(link -> link.mac().value()).toArray();
    this.settings = settings;
    this.allocator = allocator;
    this.held = new Held[settings.heldFrames()];
  }

  /**
   * Keeps a copy of a frame. The view's memory stays the caller's.
   *
   * @param view the frame, final but for its MAC addresses; its marks, ingress (-1 for a frame of our own) and binding
   *     are kept
   * @param link index of the interface it is to leave by
   * @param neighborId its next hop
   * @param nowNs the time
   * @param listener hears of frames that give way
   * @return {@link Verdict#HOLD}; {@link Verdict#NEIGHBOR_UNREACHABLE} when the next hop failed; {@link
   *     Verdict#NEIGHBOR_QUEUE_FULL} when there is no room
   */
  public Verdict hold(FrameView view, int link, int neighborId, long nowNs, HeldFrameListener listener) {
    assert isOwner();
    if (neighbors.state(neighborId) == NeighborState.FAILED) {
      return Verdict.NEIGHBOR_UNREACHABLE;
    }
    int length = view.length();
    int waiting = waitingFor(neighborId);
    boolean fits = fits(size, length) || waiting == 0 && held.length != 0 && length <= settings.heldBytes();
    if (!fits || waiting >= settings.heldFramesPerNeighbor()) {
      return Verdict.NEIGHBOR_QUEUE_FULL;
    }
    added = true;
    Held copy = copyOf(view, link, neighborId, nowNs); // may fail where memory is short, before anything changes
    makeRoom(length, listener);
    held[size++] = copy;
    bytes += length;
    own += view.ingress() < 0 ? 1 : 0;
    return Verdict.HOLD;
  }

  private boolean fits(int frames, int length) {
    return frames < held.length && length <= settings.heldBytes() - bytes;
  }

  private void makeRoom(int length, HeldFrameListener listener) {
    int gone = 0;
    while (!fits(size - gone, length)) {
      drop(held[gone++], Verdict.NEIGHBOR_QUEUE_FULL, listener);
    }
    if (gone != 0) {
      System.arraycopy(held, gone, held, 0, size - gone);
      forgetFrom(size - gone);
    }
  }

  private int waitingFor(int neighborId) {
    int count = 0;
    for (int i = 0; i < size; i++) {
      if (held[i].neighborId == neighborId) {
        count++;
      }
    }
    return count;
  }

  private Held copyOf(FrameView view, int link, int neighborId, long nowNs) {
    ByteBuf copy = allocator.buffer(view.length(), view.length());
    copy.writeBytes(view.buffer(), view.start(), view.length());
    Held entry = new Held(copy);
    entry.marks = view.marks();
    entry.tag = view.tag();
    entry.ingress = view.ingress();
    entry.egress = link;
    entry.binding = view.binding();
    entry.neighborId = neighborId;
    entry.sinceNs = nowNs;
    return entry;
  }

  /**
   * Sends the frames whose next hop is known by now, in the order they came, and ends those that waited too long or
   * whose next hop failed. Cheap while nothing changed: to be called once per burst.
   *
   * @param nowNs the time
   * @param out takes the frames
   * @param listener hears how each ended
   * @return how many ended
   */
  public int release(long nowNs, FrameOutput out, HeldFrameListener listener) {
    assert isOwner();
    if (size == 0 || !added && neighbors.version() == seenVersion && !isOverdue(held[0], nowNs)) {
      return 0;
    }
    seenVersion = neighbors.version();
    added = false;
    int before = size;
    int kept = 0;
    for (int i = 0; i < before; i++) {
      Held entry = held[i];
      if (!ended(entry, nowNs, out, listener)) {
        held[kept++] = entry;
      }
    }
    forgetFrom(kept);
    return before - kept;
  }

  private boolean isOverdue(Held entry, long nowNs) {
    return nowNs - entry.sinceNs >= settings.heldTimeNs();
  }

  private boolean ended(Held entry, long nowNs, FrameOutput out, HeldFrameListener listener) {
    long mac = neighbors.mac(entry.neighborId);
    if (mac != NeighborTable.UNRESOLVED) {
      send(entry, mac, out, listener);
      return true;
    }
    boolean hopeless = neighbors.state(entry.neighborId) == NeighborState.FAILED || isOverdue(entry, nowNs);
    if (hopeless) {
      drop(entry, Verdict.NEIGHBOR_UNREACHABLE, listener);
    }
    return hopeless;
  }

  private void send(Held entry, long mac, FrameOutput out, HeldFrameListener listener) {
    ByteBuf frame = entry.frame;
    int length = frame.readableBytes();
    bytes -= length;
    own -= entry.ingress < 0 ? 1 : 0;
    EthernetHeader.setAddresses(frame, frame.readerIndex(), mac, linkMacs[entry.egress]);
    out.transmit(entry.egress, frame, entry.marks);
    listener.heldFrameEnded(entry.tag, Verdict.FORWARD, entry.ingress, entry.egress, entry.binding, length);
  }

  private void drop(Held entry, Verdict verdict, HeldFrameListener listener) {
    int length = entry.frame.readableBytes();
    bytes -= length;
    own -= entry.ingress < 0 ? 1 : 0;
    entry.frame.release();
    listener.heldFrameEnded(entry.tag, verdict, entry.ingress, entry.egress, entry.binding, length);
  }

  private void forgetFrom(int kept) {
    Arrays.fill(held, kept, size, null);
    size = kept;
  }

  /**
   * Frames that wait now.
   *
   * @return 0 or more
   */
  public int size() {
    return size;
  }

  /**
   * Received frames that wait now: all but those that the balancer made itself, which came in by no interface.
   *
   * @return 0..{@link #size()}
   */
  public int received() {
    return size - own;
  }

  /**
   * Bytes of the frames that wait now.
   *
   * @return 0 or more
   */
  public int bytes() {
    return bytes;
  }

  /**
   * When {@link #release} has something to do even if no next hop becomes known.
   *
   * @param nowNs the time
   * @return the oldest frame's end, far in the future when nothing waits; compare as {@code deadline - now < 0}
   */
  public long nextDeadline(long nowNs) {
    return size == 0 ? nowNs + Timers.NEVER_NS : held[0].sinceNs + settings.heldTimeNs();
  }

  /**
   * Ends all that wait. May be called by whoever stopped the worker.
   *
   * @param verdict how they end
   * @param listener hears of each
   */
  public void end(Verdict verdict, HeldFrameListener listener) {
    for (int i = 0; i < size; i++) {
      drop(held[i], verdict, listener);
    }
    forgetFrom(0);
  }

  /** Ends all that wait, telling nobody. */
  @Override
  public void close() {
    end(Verdict.CLOSED_WHILE_HELD, (tag, verdict, ingress, egress, binding, length) -> {});
  }

  private boolean isOwner() {
    if (owner == null) {
      owner = Thread.currentThread();
    }
    return owner == Thread.currentThread();
  }
}

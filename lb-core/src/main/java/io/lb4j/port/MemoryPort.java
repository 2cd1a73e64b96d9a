package io.lb4j.port;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.varhandle.SpscVarHandleArrayQueue;

/**
 * A port in memory: tests, benchmarks and embedders put frames in on the network's side and take out what the balancer
 * sent. Each queue has one worker, or a thread that receives and one that sends, and, on the network's side, one thread
 * that offers and polls. Frames are copied into rings of fixed size; nothing is allocated per frame.
 */
public final class MemoryPort implements Port {
  /** Longest frame: 64 KiB of IP packet, Ethernet header and two tags. */
  public static final int MAX_FRAME_LENGTH = 65_535 + 22;

  private static final int MAX_TAG_BYTES = 2 * EthernetHeader.TAG_LENGTH;
  private static final int SLOT_BYTES = 2048;
  private static final long WAIT_STEP_NS = 50_000;

  private final String name;
  private final PortTraits traits;
  private final int longestFrame;
  private final Queue[] queues;
  private final Set<MacAddress> joined = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /** Takes frames out of the port. */
  @FunctionalInterface
  public interface Receiver {
    /**
     * A frame the balancer sent.
     *
     * @param buffer holds it; borrowed for the call
     * @param start index of its first byte
     * @param length of the frame
     * @param marks what travels beside the bytes
     */
    void frame(ByteBuf buffer, int start, int length, long marks);
  }

  private static final class Slot {
    ByteBuf buffer = Unpooled.directBuffer(SLOT_BYTES, MAX_FRAME_LENGTH);
    int length;
    long marks;

    void copy(ByteBuf from, int start, int frameLength, long frameMarks) {
      if (buffer.capacity() < frameLength) {
        buffer.capacity(MAX_FRAME_LENGTH);
      }
      buffer.setBytes(0, from, start, frameLength);
      length = frameLength;
      marks = frameMarks;
    }
  }

  /** What a queue counts: a pair of cache lines for each thread that may write, and one before them. */
  private static final int RECEIVED_FRAMES = 16;
  private static final int RECEIVED_BYTES = RECEIVED_FRAMES + 1;
  private static final int LENT = RECEIVED_FRAMES + 2; // frames that the receiving thread has and has not released
  private static final int TRANSMITTED_FRAMES = 32;
  private static final int TRANSMITTED_BYTES = TRANSMITTED_FRAMES + 1;
  private static final int REFUSED = TRANSMITTED_FRAMES + 2;
  private static final int MISSED = 48; // by the network's side
  private static final int COUNTS = 64;

  /** Slots that go round between a full and an empty queue. */
  private static final class Ring {
    final SpscVarHandleArrayQueue<Slot> empty;
    final SpscVarHandleArrayQueue<Slot> full;

    Ring(int capacity) {
      empty = new SpscVarHandleArrayQueue<>(capacity);
      full = new SpscVarHandleArrayQueue<>(capacity);
      for (int i = 0; i < capacity; i++) {
        empty.offer(new Slot());
      }
    }

    boolean put(ByteBuf frame, int start, int length, long marks) {
      Slot slot = empty.poll();
      if (slot == null) {
        return false;
      }
      slot.copy(frame, start, length, marks);
      full.offer(slot);
      return true;
    }

    void free() {
      full.drain(slot -> slot.buffer.release());
      empty.drain(slot -> slot.buffer.release());
    }
  }

  private final class Queue implements PortQueue {
    final Ring toWorker;
    final Ring toNetwork;
    final Slot[] lent = new Slot[FrameBatch.CAPACITY];
    final AtomicLongArray counts = new AtomicLongArray(COUNTS);

    Queue(int capacity) {
      toWorker = new Ring(capacity);
      toNetwork = new Ring(capacity);
    }

    /** For the one thread that writes this count. */
    void count(int what, long amount) {
      counts.lazySet(what, counts.getPlain(what) + amount);
    }

    @Override
    public int receive(FrameBatch batch, int ingress) {
      int before = (int) counts.getPlain(LENT);
      int lentNow = before;
      long bytes = 0;
      while (!closed && lentNow < lent.length && batch.room() > 0) {
        Slot slot = toWorker.full.poll();
        if (slot == null) {
          break;
        }
        lent[lentNow++] = slot;
        batch.add(slot.buffer, 0, slot.length, slot.marks, ingress);
        bytes += slot.length;
      }
      if (lentNow > before) {
        counts.setPlain(LENT, lentNow);
        count(RECEIVED_FRAMES, lentNow - before);
        count(RECEIVED_BYTES, bytes);
      }
      return lentNow - before;
    }

    @Override
    public void release() {
      int count = (int) counts.getPlain(LENT);
      for (int i = 0; i < count; i++) {
        toWorker.empty.offer(lent[i]);
        lent[i] = null;
      }
      counts.setPlain(LENT, 0);
    }

    private boolean carries(ByteBuf buffer, int start, int length, long marks) {
      if ((marks & FrameMarks.CHECKSUM_PARTIAL) != 0 && !traits.carriesPartialChecksums()) {
        return false;
      }
      if ((marks & FrameMarks.GSO) != 0) {
        return traits.carriesGso() && length <= MAX_FRAME_LENGTH;
      }
      return length <= longestFrame || length <= longestFrame + tagBytes(buffer, start);
    }

    private int tagBytes(ByteBuf buffer, int start) {
      int etherType = start + EthernetHeader.ETHER_TYPE_OFFSET;
      int bytes = 0;
      while (bytes < MAX_TAG_BYTES && EthernetHeader.isTag(buffer.getUnsignedShort(etherType + bytes))) {
        bytes += EthernetHeader.TAG_LENGTH;
      }
      return bytes;
    }

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      if (closed || !carries(buffer, start, length, marks) || !toNetwork.put(buffer, start, length, marks)) {
        count(REFUSED, 1);
        return false;
      }
      count(TRANSMITTED_FRAMES, 1);
      count(TRANSMITTED_BYTES, length);
      return true;
    }

    @Override
    public int flush() {
      return 0;
    }

    @Override
    public void await(long timeoutNs) {
      long end = System.nanoTime() + timeoutNs;
      while (toWorker.full.isEmpty() && !closed && System.nanoTime() - end < 0) {
        LockSupport.parkNanos(this, Math.min(WAIT_STEP_NS, timeoutNs));
        if (Thread.currentThread().isInterrupted()) {
          return;
        }
      }
    }

    PortCounters counters() {
      return new PortCounters(
          counts.get(RECEIVED_FRAMES),
          counts.get(RECEIVED_BYTES),
          counts.get(MISSED),
          counts.get(TRANSMITTED_FRAMES),
          counts.get(TRANSMITTED_BYTES),
          counts.get(REFUSED));
    }
  }

  /**
   * A port with an MTU of 1,500 bytes.
   *
   * @param name in messages and reports
   * @param mac the port's own address
   * @param queues that can be worked on at the same time
   * @param ringCapacity frames that each queue holds in each direction
   */
  public MemoryPort(String name, MacAddress mac, int queues, int ringCapacity) {
    this(name, new PortTraits(mac, 1500, List.of(), false, false, false), queues, ringCapacity);
  }

  /**
   * A port with chosen traits.
   *
   * @param name in messages and reports
   * @param traits what it is to look like
   * @param queues that can be worked on at the same time
   * @param ringCapacity frames that each queue holds in each direction
   */
  public MemoryPort(String name, PortTraits traits, int queues, int ringCapacity) {
    this.name = name;
    this.traits = traits;
    this.longestFrame = traits.mtu() + EthernetHeader.LENGTH;
    this.queues = new Queue[queues];
    for (int i = 0; i < queues; i++) {
      this.queues[i] = new Queue(ringCapacity);
    }
  }

  /**
   * Puts a frame in on the network's side, as if it had come over a wire.
   *
   * @param queue which
   * @param frame from its reader index to its writer index; copied, the caller's still
   * @param marks what travels beside the bytes
   * @return false when the ring is full: the frame is missed and counted
   */
  public boolean offer(int queue, ByteBuf frame, long marks) {
    Queue target = queues[queue];
    int length = frame.readableBytes();
    boolean taken = !closed && length <= MAX_FRAME_LENGTH && target.toWorker.put(frame, frame.readerIndex(), length, marks);
    if (!taken) {
      target.count(MISSED, 1);
    }
    return taken;
  }

  /**
   * Takes out the next frame that the balancer sent.
   *
   * @param queue which
   * @param receiver is handed the frame for the length of the call
   * @return false when there is none
   */
  public boolean poll(int queue, Receiver receiver) {
    Ring ring = queues[queue].toNetwork;
    Slot slot = ring.full.poll();
    if (slot == null) {
      return false;
    }
    receiver.frame(slot.buffer, 0, slot.length, slot.marks);
    ring.empty.offer(slot);
    return true;
  }

  /**
   * The addresses that {@link #join} was asked for.
   *
   * @return groups and further unicast addresses
   */
  public Set<MacAddress> joined() {
    return Set.copyOf(joined);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public PortTraits traits() {
    return traits;
  }

  @Override
  public int queues() {
    return queues.length;
  }

  @Override
  public PortQueue queue(int index) {
    return queues[index];
  }

  @Override
  public void join(MacAddress address) {
    joined.add(address);
  }

  @Override
  public PortStatus status() {
    return closed ? PortStatus.CLOSED : PortStatus.UP;
  }

  @Override
  public PortCounters counters() {
    PortCounters sum = PortCounters.ZERO;
    for (Queue queue : queues) {
      sum = sum.plus(queue.counters());
    }
    return sum;
  }

  /** Frames still in the rings are gone. To be called when neither side uses its queues any more. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      for (Queue queue : queues) {
        queue.release();
        queue.toWorker.free();
        queue.toNetwork.free();
      }
    }
  }
}

package io.lb4j.pcap.xdp;

import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.os.FrameCopy;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The transmitting half of a queue. A frame that was received into the memory that its port shares is sent from there,
 * and its chunk is ours until the kernel is done with it; any other frame is copied. Owned by one thread; emptied by
 * whoever closes.
 */
final class XdpSender {
  private static final long NOT_CARRIED = FrameMarks.CHECKSUM_PARTIAL | FrameMarks.GSO | FrameMarks.TRUNCATED;
  private static final int ADDRESSES_LENGTH = 12;
  private static final int KICKS = 64; // of at least 32 frames each: all of the largest ring
  private static final int USE = 3;

  private final XdpMemory memory;
  private final ChunkPool pool;
  private final ChunkCache cache;
  private final XskSocket socket;
  private final int holder;
  private final int maxFrameLength; // without a VLAN tag
  private final FrameCopy source;
  private final MemorySegment callState = Native.callState(Arena.ofAuto());
  private int size; // entries written since the last flush
  private int refused;
  private long bytes;
  private long sentBytes;
  private int sentFrames;

  XdpSender(XdpMemory memory, int queue, XskSocket socket, int mtu) {
    this.memory = memory;
    this.socket = socket;
    pool = memory.pool();
    cache = new ChunkCache(pool);
    holder = ChunkPool.holder(queue, ChunkPool.SENDING);
    maxFrameLength = mtu + EthernetHeader.LENGTH;
    source = new FrameCopy(maxFrameLength + EthernetHeader.TAG_LENGTH);
  }

  boolean isPossible(ByteBuf frame, int start, int length, long marks) {
    if ((marks & NOT_CARRIED) != 0 || length < EthernetHeader.LENGTH) {
      return false;
    }
    return length <= maxFrameLength
        || length <= maxFrameLength + EthernetHeader.TAG_LENGTH
            && EthernetHeader.isTag(frame.getUnsignedShort(start + EthernetHeader.ETHER_TYPE_OFFSET));
  }

  int size() {
    return size;
  }

  /** Writes an entry that the kernel does not see yet; tag is -1 for none. False when there is no room. */
  boolean add(ByteBuf frame, int start, int length, int tag) {
    if (socket.transmit.room(size + 1) <= size) {
      return false;
    }
    if (tag < 0 && frame == memory.buffer()) {
      int chunk = memory.chunkAt(start);
      if ((pool.holderOf(chunk) & USE) == ChunkPool.LENT && memory.chunkAt(start + length - 1L) == chunk) {
        put(chunk, start, length);
        return true;
      }
    }
    return copy(frame, start, length, tag);
  }

  private boolean copy(ByteBuf frame, int start, int length, int tag) {
    int chunk = cache.take();
    if (chunk == ChunkCache.NONE) {
      collect();
      chunk = cache.take();
      if (chunk == ChunkCache.NONE) {
        return false;
      }
    }
    long to = (long) chunk * memory.chunkSize() + XdpMemory.KERNEL_HEADROOM;
    if (tag < 0) {
      source.copy(frame, start, length, memory.memory(), to);
      put(chunk, to, length);
    } else {
      source.copy(frame, start, ADDRESSES_LENGTH, memory.memory(), to);
      putTag(to + ADDRESSES_LENGTH, tag);
      long rest = to + ADDRESSES_LENGTH + EthernetHeader.TAG_LENGTH;
      source.copy(frame, start + ADDRESSES_LENGTH, length - ADDRESSES_LENGTH, memory.memory(), rest);
      put(chunk, to, length + EthernetHeader.TAG_LENGTH);
    }
    return true;
  }

  private void putTag(long at, int tag) {
    int bytes = EthernetHeader.VLAN << 16 | tag;
    for (int i = 0; i < EthernetHeader.TAG_LENGTH; i++) {
      memory.memory().set(ValueLayout.JAVA_BYTE, at + i, (byte) (bytes >>> 24 - 8 * i));
    }
  }

  private void put(int chunk, long offset, int length) {
    pool.hold(chunk, holder);
    socket.transmit.setDescriptor(size++, offset, length);
    bytes += length;
  }

  /** Lets the kernel send; what it does not take now, it takes at the next call, unless the device refuses. */
  void send() {
    sentFrames = size;
    sentBytes = bytes;
    refused = 0;
    socket.transmit.produced(size);
    forget();
    if (socket.isZeroCopy()) {
      if (socket.transmit.needsWakeup()) {
        Syscalls.kick(socket.fd());
      }
    } else {
      kick();
    }
    collect();
  }

  /** One kick sends some of the entries and may say that others are left; why it sent none is asked by another one. */
  private void kick() {
    int pending = socket.transmit.pending();
    for (int i = 0; i < KICKS && pending > 0; i++) {
      boolean done = Syscalls.kick(socket.fd());
      int left = socket.transmit.pending();
      if (!done && left == pending && isGone(Syscalls.kickAgain(socket.fd(), callState))) {
        takeBack();
        return;
      }
      pending = socket.transmit.pending();
      collect();
    }
  }

  private static boolean isGone(int answer) {
    return answer == -Libc.ENETDOWN || answer == -Libc.ENXIO || answer == -Libc.EBADF || answer == -Libc.ENODEV;
  }

  /** Of a device that is down: the kernel reads no entries of a copying socket but when it is kicked. */
  private void takeBack() {
    int pending = socket.transmit.pending();
    for (int i = -pending; i < 0; i++) {
      long offset = socket.transmit.offset(i);
      sentBytes -= socket.transmit.length(i);
      free(memory.chunkAt(offset));
    }
    socket.transmit.produced(-pending);
    sentFrames -= pending;
    refused = pending;
  }

  /** Takes back the chunks of frames that were sent. */
  private void collect() {
    XdpRing ring = socket.completed;
    int count = ring.available(socket.size());
    for (int i = 0; i < count; i++) {
      free(memory.chunkAt(ring.number(i)));
    }
    if (count > 0) {
      ring.consumed(count);
    }
  }

  private void free(int chunk) {
    pool.letGo(chunk);
    cache.put(chunk);
  }

  int sentFrames() {
    return sentFrames;
  }

  long sentBytes() {
    return sentBytes;
  }

  int refused() {
    return refused;
  }

  /** Forgets entries that the kernel has not seen; closing takes their chunks back. */
  void forget() {
    size = 0;
    bytes = 0;
  }

  /** Gives back the chunks at hand, when the queue is closed. */
  void empty() {
    cache.empty();
  }
}

package io.lb4j.frame;

import static io.lb4j.wire.DirectMemory.getUnsignedByte;
import static io.lb4j.wire.DirectMemory.getUnsignedShort;

import io.lb4j.wire.DirectMemory;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;

/**
 * Puts frames of a kind next to each other. Whether the next frame is IPv4 or IPv6, TCP or UDP, no processor can guess
 * where all are mixed, and it guesses in every step; in an order by kinds it is wrong once for a kind instead of once
 * for a frame. Frames of one kind from one interface keep their order. For steps that do not depend on any other order.
 * Owned by one worker; allocates nothing.
 *
 * <p>Most traffic is of one kind, and then to look is all that is done: every {@value #LOOK_EVERY}th batch is looked at
 * until one is mixed. Frames that differ by their interfaces alone are not put in order: that was measured to cost more
 * than it saved.
 */
public final class FrameOrder {
  private static final int LOOK_EVERY = 16;
  private static final int READ_BYTES = 24;
  private static final int PROTOCOL_IN_6 = EthernetHeader.LENGTH + Ipv6Header.NEXT_HEADER_OFFSET;
  private static final int PROTOCOL_IN_4 = EthernetHeader.LENGTH + Ipv4Header.PROTOCOL_OFFSET;
  private static final int BYTE_SHIFT = 3; // of a kind: which byte of a word of counts is its
  private static final long EARLIER_KINDS = 0x0101_0101_0101_0100L; // times counts: of each kind, those before it

  private final FrameView[] ordered = new FrameView[FrameBatch.CAPACITY];
  private final byte[] shifts = new byte[FrameBatch.CAPACITY];
  private final byte[] places = new byte[FrameBatch.CAPACITY]; // in the batch, of what is put in order
  private boolean sorted;
  private int unlooked; // batches to come that are taken as they are

  /** Looks at the first batch. */
  public FrameOrder() {}

  /**
   * Looks at frames that are not parsed yet.
   *
   * @param views of a batch
   * @param count how many
   * @return the same views: the given array, or one of this object's own that the next call overwrites
   */
  public FrameView[] of(FrameView[] views, int count) {
    sorted = false;
    if (unlooked > 0) {
      unlooked--;
      return views;
    }
    long counts = 0; // a byte for each of eight kinds
    for (int i = 0; i < count; i++) {
      int shift = kind(views[i]) << BYTE_SHIFT;
      shifts[i] = (byte) shift;
      counts += 1L << shift;
    }
    int ofAnyLink = (int) (counts + (counts >>> Integer.SIZE));
    if (ofAnyLink == count << shifts[0]) {
      unlooked = LOOK_EVERY - 1;
      return views;
    }
    sort(views, count, counts);
    sorted = true;
    return ordered;
  }

  /**
   * Says of the frames that were put in order last where they are in their batch.
   *
   * @param frames a set, by the order
   * @return the same frames, by the batch
   */
  public int inBatch(int frames) {
    return sorted ? placesOf(frames) : frames;
  }

  private int placesOf(int frames) {
    int inBatch = 0;
    for (int rest = frames; rest != 0; rest &= rest - 1) {
      inBatch |= 1 << places[Integer.numberOfTrailingZeros(rest)];
    }
    return inBatch;
  }

  /** By counting, which takes the same steps whatever the kinds. */
  private void sort(FrameView[] views, int count, long counts) {
    long next = counts * EARLIER_KINDS;
    for (int i = 0; i < count; i++) {
      int shift = shifts[i];
      int to = (int) (next >>> shift) & FrameBatch.CAPACITY - 1;
      ordered[to] = views[i];
      places[to] = (byte) i;
      next += 1L << shift;
    }
  }

  /** 0..7, for a frame that is long enough without a branch: UDP or not, IPv6 or not, and the link's lowest bit. */
  private static int kind(FrameView view) {
    if (!DirectMemory.AVAILABLE || view.address == 0 || view.length < READ_BYTES) {
      return 0;
    }
    long frame = DirectMemory.base(view.address + view.start);
    int not6 = oneIfNot0(getUnsignedShort(frame + EthernetHeader.ETHER_TYPE_OFFSET) ^ EthernetHeader.IPV6);
    int protocol = getUnsignedByte(frame + PROTOCOL_IN_6 + not6 * (PROTOCOL_IN_4 - PROTOCOL_IN_6));
    return (view.ingress & 1) << 2 | not6 << 1 | oneIfNot0(protocol ^ IpProtocol.UDP);
  }

  private static int oneIfNot0(int value) {
    return -value >>> 31; // of values that are not negative
  }
}

package io.lb4j.gateway.nat;

import static io.lb4j.wire.DirectMemory.base;
import static io.lb4j.wire.DirectMemory.getInt;
import static io.lb4j.wire.DirectMemory.getIntNative;
import static io.lb4j.wire.DirectMemory.getLong;
import static io.lb4j.wire.DirectMemory.getLongNative;
import static io.lb4j.wire.DirectMemory.getUnsignedByte;
import static io.lb4j.wire.DirectMemory.getUnsignedShort;
import static io.lb4j.wire.DirectMemory.setByte;
import static io.lb4j.wire.DirectMemory.setInt;
import static io.lb4j.wire.DirectMemory.setLong;
import static io.lb4j.wire.DirectMemory.setShort;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Segments;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;

/**
 * What {@link Rewriter} does, for frames that {@linkplain FrameView#isUsual are usual}, whose headers are at fixed
 * places: from an entry of the session table into the frame, by address. Stateless; allocates nothing.
 */
final class UsualRewriter {
  private static final int NETWORK = 14;
  private static final int FLAGS_4 = 20;
  private static final int LIFE_4 = 22; // time to live, protocol, checksum
  private static final int ADDRESSES_4 = 26;
  private static final int TRANSPORT_4 = 34;
  private static final int LIFE_6 = 21;
  private static final int ADDRESSES_6 = 22;
  private static final int ADDRESS_BYTES_6 = 16;
  private static final int TRANSPORT_6 = 54;
  private static final int TCP_CHECKSUM = 16;
  private static final int UDP_CHECKSUM = 6;
  private static final int DONT_FRAGMENT = 0x4000;

  private UsualRewriter() {}

  /**
   * Whether a frame has a hop left, fits a link, and keeps its identification: it may not be cut, or keeps its source.
   */
  static boolean mayPass(FrameView view, int mtu) {
    long frame = view.usualAddress();
    boolean fits = view.networkEnd() - view.start() - NETWORK <= mtu || Segments.packetLength(view) <= mtu;
    if (view.isV6()) {
      return fits && getUnsignedByte(frame + LIFE_6) > 1;
    }
    boolean keeps =
        (getUnsignedShort(frame + FLAGS_4) & DONT_FRAGMENT) != 0
            || getLongNative(base(view.flow()) + SessionTable.NEW_ADDRESSES_4) >>> 32 == view.sourceLow();
    return fits && getUnsignedByte(frame + LIFE_4) > 1 && keeps;
  }

  /**
   * Writes addresses, with a hop less, by the entry at the place of a frame's flow; answers what to tell
   * {@link #ports}.
   */
  static long header4(FrameView view) {
    return ipv4(view.usualAddress(), base(view.flow()));
  }

  /**
   * The same for IPv6.
   *
   * @param reply whether the entry's new address is the source
   * @param other the place of what the other address becomes; {@link SessionTable#NOWHERE} where it stays as it is
   */
  static long header6(FrameView view, boolean reply, long other) {
    long frame = view.usualAddress();
    long source = frame + ADDRESSES_6;
    long destination = source + ADDRESS_BYTES_6;
    long delta = address6(reply ? source : destination, base(view.flow()) + SessionTable.NEW_ADDRESS_6);
    if (other != SessionTable.NOWHERE) {
      delta += address6(reply ? destination : source, base(other));
    }
    setByte(frame + LIFE_6, getUnsignedByte(frame + LIFE_6) - 1);
    return delta;
  }

  private static long address6(long at, long becomes) {
    long high = getLongNative(becomes);
    long low = getLongNative(becomes + 8);
    long delta =
        Rewriter.halves(~getLong(at)) + Rewriter.halves(~getLong(at + 8)) + Rewriter.halves(high) + Rewriter.halves(low);
    setLong(at, high);
    setLong(at + 8, low);
    return delta;
  }

  /** Writes ports and the transport checksum, after the header. */
  static void ports(FrameView view, long delta) {
    long frame = view.usualAddress();
    long entry = base(view.flow());
    if (view.isV6()) {
      transport(view, frame + TRANSPORT_6, entry + SessionTable.NEW_PORTS_6, delta);
    } else {
      transport(view, frame + TRANSPORT_4, entry + SessionTable.NEW_PORTS_4, delta);
    }
  }

  /** Rewrites the network header; answers what the addresses add to a one's complement sum. */
  private static long ipv4(long frame, long entry) {
    long addresses = getLong(frame + ADDRESSES_4);
    long newAddresses = getLongNative(entry + SessionTable.NEW_ADDRESSES_4);
    long delta = Rewriter.halves(~addresses) + Rewriter.halves(newAddresses);
    int life = getInt(frame + LIFE_4);
    int newLife = life - 0x0100_0000;
    int checksum = InternetChecksum.finish(delta + (~life >>> 16) + (newLife >>> 16) + (~life & 0xFFFF));
    setInt(frame + LIFE_4, newLife & 0xFFFF_0000 | checksum);
    setLong(frame + ADDRESSES_4, newAddresses);
    return delta;
  }

  private static void transport(FrameView view, long at, long portsOfEntry, long addressDelta) {
    boolean tcp = view.protocol() == IpProtocol.TCP;
    int newPorts = getIntNative(portsOfEntry);
    long field = at + (tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
    int ports = getInt(at);
    int checksum = getUnsignedShort(field);
    setInt(at, newPorts);
    if ((view.marks() & FrameMarks.CHECKSUM_PARTIAL) != 0) {
      setShort(field, InternetChecksum.fold(checksum + addressDelta)); // unfinished: the sum of the pseudo-header alone
      return;
    }
    int sum =
        InternetChecksum.finish(
            (~checksum & 0xFFFFL) + addressDelta + (~ports & 0xFFFF_FFFFL) + (newPorts & 0xFFFF_FFFFL));
    if (tcp) {
      setShort(field, sum);
    } else if (checksum != 0) {
      setShort(field, sum == 0 ? 0xFFFF : sum); // RFC 768: a computed 0 is sent as all ones
    }
  }
}

package io.lb4j.gateway.nat;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.Ipv4Header;
import java.util.SplittableRandom;

/**
 * Identifications of packets that leave under an address that several hosts share: two of them must not send two
 * datagrams with the same one at the same time (RFC 6864, section 4.2; RFC 7857, section 10). Counters by a hash of
 * source, destination and protocol, as Linux has them; each worker counts in steps of its own. Owned by one worker.
 */
final class Identifications {
  private static final int COUNTERS = 2048;

  private final int[] counters = new int[COUNTERS];
  private final int worker;
  private final int workers;

  Identifications(SplittableRandom random, int worker, int workers) {
    this.worker = worker;
    this.workers = workers;
    for (int i = 0; i < COUNTERS; i++) {
      counters[i] = random.nextInt();
    }
  }

  /** Whether a packet's identification means something: it is a fragment, or may become some. */
  static boolean matters(FrameView view) {
    if (view.isV6()) {
      return view.isFragment();
    }
    int flags = view.buffer().getUnsignedShort(view.network() + Ipv4Header.FRAGMENT_OFFSET);
    return (flags & Ipv4Header.DONT_FRAGMENT) == 0 || view.isFragment();
  }

  /**
   * A fresh one: 16 bits for IPv4, 32 for IPv6.
   *
   * @param packets that will count up from it, more than one of a super-frame
   */
  int next(Tuple to, int packets) {
    long h = (to.sourceLow ^ to.sourceHigh) * 0xFF51_AFD7_ED55_8CCDL;
    h = (h ^ h >>> 32 ^ to.destinationLow ^ to.destinationHigh ^ to.protocol) * 0xC4CE_B9FE_1A85_EC53L;
    int index = (int) (h >>> 40) & COUNTERS - 1;
    int id = counters[index] * workers + worker;
    counters[index] += packets;
    return to.v6 ? id : id & 0xFFFF;
  }
}

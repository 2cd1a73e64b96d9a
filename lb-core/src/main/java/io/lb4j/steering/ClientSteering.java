package io.lb4j.steering;

import io.lb4j.forward.Steering;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.IcmpQuote;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.netty.buffer.ByteBuf;

/**
 * Steering where nothing is translated: all frames of a client go to one worker, by a keyed hash of its address, so
 * that nobody who does not know the key can load one worker alone. An ICMP error goes where the client's frames go that
 * it is about. What belongs to no client goes to worker 0, which runs the link layer's timers. Immutable, safe from any
 * thread.
 */
public final class ClientSteering implements Steering {
  private final long seed;
  private final int workers;

  /**
   * Steering by a secret.
   *
   * @param seed equal for all threads of a balancer
   * @param workers 1 or more
   */
  public ClientSteering(long seed, int workers) {
    this.seed = seed;
    this.workers = workers;
  }

  @Override
  public int workerOf(FrameView view) {
    return ownerOf(view);
  }

  @Override
  public int ownerOf(FrameView view) {
    return switch (view.kind()) {
      case SEGMENT, FIRST_FRAGMENT, LATER_FRAGMENT, OTHER_PROTOCOL -> worker(view.sourceHigh(), view.sourceLow());
      case ICMP -> ofMessage(view);
      case ARP, NOT_IP, MALFORMED -> 0;
    };
  }

  private int ofMessage(FrameView view) {
    int type = view.icmpType();
    if (view.isV6() && IcmpHeader.isNeighborMessage(type)) {
      return 0;
    }
    boolean quotes = IcmpHeader.isError(view.isV6(), type) && IcmpQuote.find(view) != IcmpQuote.UNREADABLE;
    return quotes ? ofQuotedReceiver(view) : worker(view.sourceHigh(), view.sourceLow());
  }

  private int ofQuotedReceiver(FrameView view) {
    ByteBuf buffer = view.buffer();
    int ip = IcmpQuote.network(view);
    if (!view.isV6()) {
      return worker(0, Ipv4Header.destination(buffer, ip) & 0xFFFF_FFFFL);
    }
    int destination = ip + Ipv6Header.DESTINATION_OFFSET;
    return worker(buffer.getLong(destination), buffer.getLong(destination + 8));
  }

  private int worker(long high, long low) {
    long h = (low ^ seed) * 0xFF51_AFD7_ED55_8CCDL;
    h = (h ^ h >>> 32 ^ high) * 0xC4CE_B9FE_1A85_EC53L;
    h = (h ^ h >>> 29 ^ seed >>> 17) * 0x9E37_79B9_7F4A_7C15L;
    return (int) ((h >>> 33) % workers);
  }
}

package io.lb4j.gateway.nat;

import io.lb4j.address.IpAddress;
import java.util.BitSet;
import java.util.SplittableRandom;

/**
 * The ports of one external address that one worker may give out, for TCP, UDP and ICMP identifiers. Owned by that
 * worker.
 *
 * <p>A port is kept where it is free and this worker's. Otherwise it is random (RFC 6056, section 3.3.1), of the same
 * range class (below 1024, or not) and, while there is one, of the same parity (RFC 4787, REQ-3a and REQ-4). The class
 * is recommended and no more: when no port below 1024 is left, a higher one is better than none. Workers share an
 * address by pairs of an even and the next odd port, so that both parities and neighbouring ports stay with one worker.
 */
final class PortPool {
  static final int NONE = -1;

  private static final int LOW_PORTS = 1024;
  private static final int PAIRS = 1 << 15;

  private final IpAddress address;
  private final int worker;
  private final int workers;
  private final BitSet[] taken = new BitSet[6]; // by protocol code and parity; a bit is a pair of this worker
  private final BitSet[] excluded = new BitSet[6];

  PortPool(IpAddress address, int worker, int workers) {
    this.address = address;
    this.worker = worker;
    this.workers = workers;
    for (int i = 0; i < taken.length; i++) {
      taken[i] = new BitSet(PAIRS / workers + 1);
      excluded[i] = new BitSet();
    }
    excludeNone();
  }

  /** No service has ports of this address; port 0 is nobody's, and an identifier 0 is left out as well. */
  void excludeNone() {
    for (BitSet ports : excluded) {
      ports.clear();
    }
    for (int code = 0; code < 3; code++) {
      exclude(code, 0);
    }
  }

  IpAddress address() {
    return address;
  }

  /** The worker that gives out a port. */
  static int ownerOf(int port, int workers) {
    return (port >>> 1) % workers;
  }

  /** A random port of a worker's, free or not, from 1024 on. */
  static int anyPort(int worker, int workers, SplittableRandom random) {
    int first = LOW_PORTS / 2 + Math.floorMod(worker - LOW_PORTS / 2, workers); // its first pair
    int pairs = (PAIRS - first + workers - 1) / workers;
    int drawn = random.nextInt(2 * pairs);
    return 2 * (first + (drawn >>> 1) * workers) + (drawn & 1);
  }

  private boolean owns(int port) {
    return ownerOf(port, workers) == worker;
  }

  private int bit(int port) {
    return (port >>> 1) / workers;
  }

  private int port(int bit, int parity) {
    return (bit * workers + worker) * 2 + parity;
  }

  /** Gives a port to nobody from now on: a service of the same address has it. */
  void exclude(int code, int port) {
    if (owns(port)) {
      excluded[code * 2 + (port & 1)].set(bit(port));
    }
  }

  /** Takes a port in {@code first..last} for an inside port; {@link #NONE} when there is none left. */
  int take(int code, int wanted, int first, int last, SplittableRandom random) {
    int from = first;
    int to = last;
    boolean low = wanted < LOW_PORTS;
    boolean classExists = low ? first < LOW_PORTS : last >= LOW_PORTS;
    if (code != 2 && classExists) {
      from = low ? first : Math.max(first, LOW_PORTS);
      to = low ? Math.min(last, LOW_PORTS - 1) : last;
    }
    if (wanted >= from && wanted <= to && owns(wanted) && isFree(code * 2 + (wanted & 1), bit(wanted))) {
      taken[code * 2 + (wanted & 1)].set(bit(wanted));
      return wanted;
    }
    int port = takeRandom(code, wanted, from, to, random);
    boolean mayLeave = low && last > to; // a low port for a high one might count as privileged
    return port == NONE && mayLeave ? takeRandom(code, wanted, LOW_PORTS, last, random) : port;
  }

  /** A port of the wanted one's parity; of the other one when there is none. */
  private int takeRandom(int code, int wanted, int from, int to, SplittableRandom random) {
    int same = takeOf(code, wanted & 1, from, to, random);
    return same != NONE ? same : takeOf(code, wanted & 1 ^ 1, from, to, random);
  }

  /** Takes one port and no other; false when it is somebody's, a service's or another worker's. */
  boolean takeExactly(int code, int port) {
    int which = code * 2 + (port & 1);
    boolean free = owns(port) && isFree(which, bit(port));
    if (free) {
      taken[which].set(bit(port));
    }
    return free;
  }

  private int takeOf(int code, int parity, int from, int to, SplittableRandom random) {
    int lowest = firstBit(from, parity);
    int highest = lastBit(to, parity);
    if (lowest > highest) {
      return NONE;
    }
    int which = code * 2 + parity;
    int start = lowest + random.nextInt(highest - lowest + 1);
    int free = nextFree(which, start);
    if (free > highest) {
      free = nextFree(which, lowest);
      if (free >= start) {
        return NONE;
      }
    }
    taken[which].set(free);
    return port(free, parity);
  }

  private boolean isFree(int which, int bit) {
    return !taken[which].get(bit) && !excluded[which].get(bit);
  }

  private int nextFree(int which, int from) {
    int free = taken[which].nextClearBit(from);
    while (excluded[which].get(free)) {
      free = taken[which].nextClearBit(free + 1);
    }
    return free;
  }

  /** The first pair of ours whose port of this parity is not below {@code from}. */
  private int firstBit(int from, int parity) {
    int bit = Math.max(0, bit(from) - 1);
    while (port(bit, parity) < from) {
      bit++;
    }
    return bit;
  }

  private int lastBit(int to, int parity) {
    int bit = bit(to) + 1;
    while (bit >= 0 && port(bit, parity) > to) {
      bit--;
    }
    return bit;
  }

  void release(int code, int port) {
    taken[code * 2 + (port & 1)].clear(bit(port));
  }
}

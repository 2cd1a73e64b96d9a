package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.service.Protocol;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The services of single addresses and single ports, than which nothing is more exact; and which addresses have no
 * others, so that of all other ports it is known that nobody wants them. Most frames are told by one comparison.
 * Immutable, shared; part of a {@link ServiceTable}. Open addressed, at least three quarters of its slots free.
 */
final class ExactServices {
  private static final int WORDS_SHIFT = 2; // of a slot: the address, port and protocol, and one that keeps it in a line
  private static final int PORT_SHIFT = 8;
  private static final int TCP = 1;
  private static final int UDP = 2;
  private static final int V6 = 4;
  private static final int NO_PORT = 0; // no service has it alone
  private static final long FREE = 0;

  private final long[] keys;
  private final @Nullable CompiledService[] services;
  private final int shift;

  /**
   * Compiles the table.
   *
   * @param single services of one port each, by single address
   * @param closed those of the addresses that have no other services, by prefixes neither
   */
  ExactServices(Map<IpAddress, List<CompiledService>> single, List<IpAddress> closed) {
    int entries = 2 * closed.size() + single.values().stream().mapToInt(List::size).sum();
    int bits = Math.max(4, 34 - Integer.numberOfLeadingZeros(entries));
    keys = new long[1 << bits + WORDS_SHIFT];
    services = new CompiledService[1 << bits];
    shift = Long.SIZE - bits;
    single.forEach((address, all) -> all.forEach(service -> put(address, service)));
    for (IpAddress address : closed) {
      put(address.high(), address.low(), what(address.isV6(), true, NO_PORT), null);
      put(address.high(), address.low(), what(address.isV6(), false, NO_PORT), null);
    }
  }

  private void put(IpAddress address, CompiledService service) {
    boolean tcp = service.declaration().protocol() == Protocol.TCP;
    put(address.high(), address.low(), what(address.isV6(), tcp, service.declaration().ports().first()), service);
  }

  private void put(long high, long low, long what, @Nullable CompiledService service) {
    int slot = slot(high, low, what);
    keys[slot << WORDS_SHIFT] = high;
    keys[(slot << WORDS_SHIFT) + 1] = low;
    keys[(slot << WORDS_SHIFT) + 2] = what;
    services[slot] = service;
  }

  /** All but the address, in one word; never {@link #FREE}. */
  private static long what(boolean v6, boolean tcp, int port) {
    return port << PORT_SHIFT | (v6 ? V6 : 0) | (tcp ? TCP : UDP);
  }

  /** The service, as {@link ServiceTable#find}; null when there is none of one address and one port. */
  @Nullable CompiledService find(boolean v6, long high, long low, boolean tcp, int port) {
    return services[slot(high, low, what(v6, tcp, port))];
  }

  /** Whether an address has no services but those here. */
  boolean isClosed(boolean v6, long high, long low, boolean tcp) {
    return keys[(slot(high, low, what(v6, tcp, NO_PORT)) << WORDS_SHIFT) + 2] != FREE;
  }

  /** The slot that holds the key, or the free one where it would be. */
  private int slot(long high, long low, long what) {
    long mixed = (high * 31 + low ^ what << 32) * 0x9E37_79B9_7F4A_7C15L;
    int slot = (int) ((mixed ^ mixed >>> 29) * 0xBF58_476D_1CE4_E5B9L >>> shift);
    while (isOther(slot << WORDS_SHIFT, high, low, what)) {
      slot = slot + 1 & services.length - 1;
    }
    return slot;
  }

  private boolean isOther(int at, long high, long low, long what) {
    long kept = keys[at + 2];
    return kept != FREE && (keys[at] ^ high | keys[at + 1] ^ low | kept ^ what) != 0;
  }
}

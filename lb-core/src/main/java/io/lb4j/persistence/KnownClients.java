package io.lb4j.persistence;

import io.lb4j.address.IpPrefix;
import io.lb4j.wire.OffHeap;

/**
 * The clients that one worker has asked its persistence tables for of late, in front of them: a table is shared, and a
 * question to it costs several cache misses and memory. Owned by one worker. Bounded; who finds none is asked for in
 * the table again. Allocates nothing but when it grows, four times at most, by then forgetting all it knew.
 *
 * <p>An answer is used while the table's {@link PersistenceTable#changes} stand still, and for a small part of the
 * time-out; then the table is asked, which counts as a use there. So a client may be forgotten by that part earlier.
 */
public final class KnownClients {
  private static final int LEAST_PAIRS = 1 << 12;
  private static final int MOST_PAIRS = 1 << 20;
  private static final int GROWTH = 4;

  private static final int KEY = 0; // IPv4 address in the upper half, table in the lower
  private static final int PORT = 8;
  private static final int SERVER = 12;
  private static final int CHANGES = 16;
  private static final int TIME = 24;
  private static final int HIGH = 32; // IPv6 only, as the next
  private static final int LOW = 40;
  private static final int V4_SHIFT = 5;
  private static final int V6_SHIFT = 6;
  private static final int USED = 1 << 16; // beside the port, so that no empty place is anybody's
  private static final long M1 = 0xFF51_AFD7_ED55_8CCDL;
  private static final long M2 = 0xC4CE_B9FE_1A85_EC53L;

  private final long seed;
  private final Family v4 = new Family(V4_SHIFT);
  private final Family v6 = new Family(V6_SHIFT);

  /** The clients of one family: pairs of places, of which a client may have either. An IPv4 pair is a cache line. */
  private static final class Family {
    final int shift;
    int pairs;
    int kept; // since the last growth, at most; a place that is taken over counts again
    OffHeap memory = OffHeap.NONE;

    Family(int shift) {
      this.shift = shift;
    }

    /** Makes room for the first client, or for more when half of what there is has been used. */
    void makeRoom() {
      if (kept++ < pairs || pairs == MOST_PAIRS) {
        return;
      }
      int wanted = pairs == 0 ? LEAST_PAIRS : pairs * GROWTH;
      try {
        memory = OffHeap.of((long) wanted << shift + 1);
        pairs = wanted;
      } catch (OutOfMemoryError e) {
        // what there is has to do
      }
      kept = 1;
    }
  }

  /**
   * Nobody is known.
   *
   * @param seed of the hash; any number that others cannot know
   */
  public KnownClients(long seed) {
    this.seed = seed;
  }

  /**
   * Asks for the memory of a client's places, so that many are on their way together.
   *
   * @param table of the service
   * @param v6Client the family
   * @param high first 64 bits of the address, 0 for IPv4
   * @param low last 64 bits of the address, or the IPv4 address
   * @param port of the service
   * @return a word of that memory; add it up, so that the compiler keeps the load
   */
  public int touch(PersistenceTable table, boolean v6Client, long high, long low, int port) {
    Family family = v6Client ? v6 : v4;
    if (family.pairs == 0) {
      return 0;
    }
    long maskedHigh = high & table.maskHigh(v6Client);
    long maskedLow = low & table.maskLow(v6Client);
    return family.memory.getInt(pair(family, table, v6Client, maskedHigh, maskedLow, port));
  }

  /**
   * The server of a client. Counts as a use.
   *
   * @param table is asked when the answer is not known here
   * @param v6Client the family
   * @param high first 64 bits of the address, 0 for IPv4
   * @param low last 64 bits of the address, or the IPv4 address
   * @param port of the service
   * @param nowNs the time
   * @return its number, or {@link PersistenceTable#NONE}
   */
  public int find(PersistenceTable table, boolean v6Client, long high, long low, int port, long nowNs) {
    OffHeap memory = (v6Client ? v6 : v4).memory;
    long place = placeOf(table, v6Client, high, low, port);
    if (place >= 0 && isFresh(memory, place, table, nowNs)) {
      return memory.getInt(place + SERVER);
    }
    int changes = table.changes();
    int server = table.find(v6Client, high, low, port, nowNs);
    if (server != PersistenceTable.NONE) {
      keep(place, table, v6Client, high, low, port, changes, server, nowNs);
    }
    return server;
  }

  /**
   * Keeps a client on a server, here and in the table, unless the table has another one by now.
   *
   * @param table of the service
   * @param v6Client the family
   * @param high first 64 bits of the address, 0 for IPv4
   * @param low last 64 bits of the address, or the IPv4 address
   * @param port of the service
   * @param before the answer after which the server was chosen, see {@link PersistenceTable#put}
   * @param server its number
   * @param nowNs the time
   * @return the number of the client's server from now on
   */
  public int put(
      PersistenceTable table, boolean v6Client, long high, long low, int port, int before, int server, long nowNs) {
    OffHeap memory = (v6Client ? v6 : v4).memory;
    long place = placeOf(table, v6Client, high, low, port);
    if (place >= 0 && isFresh(memory, place, table, nowNs) && memory.getInt(place + SERVER) == server) {
      return server;
    }
    int changes = table.changes();
    int agreed = table.put(v6Client, high, low, port, before, server, nowNs);
    keep(place, table, v6Client, high, low, port, changes, agreed, nowNs);
    return agreed;
  }

  private static boolean isFresh(OffHeap memory, long place, PersistenceTable table, long nowNs) {
    return memory.getInt(place + CHANGES) == table.changes() && nowNs - memory.getLong(place + TIME) < table.freshNs();
  }

  private void keep(
      long known,
      PersistenceTable table,
      boolean v6Client,
      long clientHigh,
      long clientLow,
      int port,
      int changes,
      int server,
      long nowNs) {
    Family family = v6Client ? v6 : v4;
    long high = clientHigh & table.maskHigh(v6Client);
    long low = clientLow & table.maskLow(v6Client);
    long place = known;
    if (place < 0) {
      family.makeRoom();
      if (family.pairs == 0) {
        return;
      }
      place = victim(family, pair(family, table, v6Client, high, low, port));
    }
    OffHeap memory = family.memory;
    memory.setLong(place + KEY, key(table, v6Client, low));
    memory.setInt(place + PORT, portOf(table, port));
    memory.setInt(place + SERVER, server);
    memory.setInt(place + CHANGES, changes);
    memory.setLong(place + TIME, nowNs);
    if (v6Client) {
      memory.setLong(place + HIGH, high);
      memory.setLong(place + LOW, low);
    }
  }

  /** Of two places a free one, or the one that was used less lately. */
  private static long victim(Family family, long first) {
    OffHeap memory = family.memory;
    long second = first + (1L << family.shift);
    if (memory.getInt(first + PORT) == 0 || memory.getInt(second + PORT) == 0) {
      return memory.getInt(first + PORT) == 0 ? first : second;
    }
    return memory.getLong(first + TIME) - memory.getLong(second + TIME) <= 0 ? first : second;
  }

  /** The place of a client; negative when it has none. */
  private long placeOf(PersistenceTable table, boolean v6Client, long clientHigh, long clientLow, int port) {
    Family family = v6Client ? v6 : v4;
    if (family.pairs == 0) {
      return -1;
    }
    long high = clientHigh & table.maskHigh(v6Client);
    long low = clientLow & table.maskLow(v6Client);
    long first = pair(family, table, v6Client, high, low, port);
    if (isOf(family.memory, first, table, v6Client, high, low, port)) {
      return first;
    }
    long second = first + (1L << family.shift);
    return isOf(family.memory, second, table, v6Client, high, low, port) ? second : -1;
  }

  private static boolean isOf(
      OffHeap memory, long place, PersistenceTable table, boolean v6Client, long high, long low, int port) {
    return memory.getLong(place + KEY) == key(table, v6Client, low)
        && memory.getInt(place + PORT) == portOf(table, port)
        && (!v6Client || memory.getLong(place + HIGH) == high && memory.getLong(place + LOW) == low);
  }

  private static long key(PersistenceTable table, boolean v6Client, long low) {
    return (v6Client ? 0 : low << 32) | table.id() & 0xFFFF_FFFFL;
  }

  private static int portOf(PersistenceTable table, int port) {
    return USED | (table.isByPort() ? port : 0);
  }

  /** Offset of the two places that a client may have. */
  private long pair(Family family, PersistenceTable table, boolean v6Client, long high, long low, int port) {
    long h = (high ^ seed) * M1;
    h = (h ^ h >>> 32 ^ low) * M2;
    h = (h ^ h >>> 32 ^ ((long) table.id() << 17 | portOf(table, port))) * M1;
    return (h >>> 40 & family.pairs - 1) << family.shift + 1;
  }
}

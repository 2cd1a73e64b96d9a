package io.lb4j.persistence;

import io.lb4j.address.IpPrefix;

/**
 * The clients that one worker has asked its persistence tables for of late, in front of them: a table is shared, and a
 * question to it costs several cache misses and memory. Owned by one worker. Of fixed size, two places for each client;
 * who finds none is asked for in the table again. Allocates nothing but when it is first used.
 *
 * <p>An answer is used while the table's {@link PersistenceTable#changes} stand still, and for a small part of the
 * time-out; then the table is asked, which counts as a use there. So a client may be forgotten by that part earlier.
 */
public final class KnownClients {
  private static final int PLACES = 1 << 17;
  private static final int STRIDE = 8; // longs: a cache line
  private static final int HIGH = 0;
  private static final int LOW = 1;
  private static final int TAG = 2; // table, family, port
  private static final int ANSWER = 3; // the table's changes, server
  private static final int TIME = 4;
  private static final long M1 = 0xFF51_AFD7_ED55_8CCDL;
  private static final long M2 = 0xC4CE_B9FE_1A85_EC53L;
  private static final int V6 = 1 << 16;

  private final long seed;
  private long[] places = new long[0];

  /**
   * Nobody is known.
   *
   * @param seed of the hash; any number that others cannot know
   */
  public KnownClients(long seed) {
    this.seed = seed;
  }

  /**
   * The server of a client. Counts as a use.
   *
   * @param table is asked when the answer is not known here
   * @param v6 the family
   * @param high first 64 bits of the address, 0 for IPv4
   * @param low last 64 bits of the address, or the IPv4 address
   * @param port of the service
   * @param nowNs the time
   * @return its number, or {@link PersistenceTable#NONE}
   */
  public int find(PersistenceTable table, boolean v6, long high, long low, int port, long nowNs) {
    int place = locate(table, v6, high, low, port);
    if (isFresh(place, table, nowNs)) {
      return (int) places[place + ANSWER];
    }
    int changes = table.changes();
    int server = table.find(v6, high, low, port, nowNs);
    if (server != PersistenceTable.NONE) {
      keep(place, table, v6, high, low, port, changes, server, nowNs);
    }
    return server;
  }

  /**
   * Keeps a client on a server, here and in the table.
   *
   * @param table of the service
   * @param v6 the family
   * @param high first 64 bits of the address, 0 for IPv4
   * @param low last 64 bits of the address, or the IPv4 address
   * @param port of the service
   * @param server its number
   * @param nowNs the time
   */
  public void put(PersistenceTable table, boolean v6, long high, long low, int port, int server, long nowNs) {
    int place = locate(table, v6, high, low, port);
    if (isFresh(place, table, nowNs) && (int) places[place + ANSWER] == server) {
      return;
    }
    int changes = table.changes();
    table.put(v6, high, low, port, server, nowNs);
    keep(place, table, v6, high, low, port, changes, server, nowNs);
  }

  private boolean isFresh(int place, PersistenceTable table, long nowNs) {
    return places[place + TAG] != 0
        && (int) (places[place + ANSWER] >>> 32) == table.changes()
        && nowNs - places[place + TIME] < table.freshNs();
  }

  private void keep(
      int place,
      PersistenceTable table,
      boolean v6,
      long high,
      long low,
      int port,
      int changes,
      int server,
      long nowNs) {
    places[place + HIGH] = high & maskHigh(table, v6);
    places[place + LOW] = low & maskLow(table, v6);
    places[place + TAG] = tag(table, v6, port);
    places[place + ANSWER] = (long) changes << 32 | server & 0xFFFF_FFFFL;
    places[place + TIME] = nowNs;
  }

  /** The place of a client, or an emptied one where it may be kept: of two, the one that was used less lately. */
  private int locate(PersistenceTable table, boolean v6, long clientHigh, long clientLow, int port) {
    if (places.length == 0) {
      places = new long[PLACES * STRIDE];
    }
    long high = clientHigh & maskHigh(table, v6);
    long low = clientLow & maskLow(table, v6);
    long tag = tag(table, v6, port);
    long h = (high ^ seed) * M1;
    h = (h ^ h >>> 32 ^ low) * M2;
    h = (h ^ h >>> 32 ^ tag) * M1;
    int first = (int) (h >>> 40 & PLACES - 1) * STRIDE;
    int second = first ^ STRIDE;
    if (isOf(first, high, low, tag)) {
      return first;
    }
    if (isOf(second, high, low, tag)) {
      return second;
    }
    int victim = places[first + TIME] - places[second + TIME] <= 0 ? first : second;
    places[victim + TAG] = 0;
    return victim;
  }

  private boolean isOf(int place, long high, long low, long tag) {
    return places[place + LOW] == low && places[place + HIGH] == high && places[place + TAG] == tag;
  }

  private static long tag(PersistenceTable table, boolean v6, int port) {
    return (long) table.id() << 32 | (v6 ? V6 : 0) | (table.isByPort() ? port : 0);
  }

  private static long maskHigh(PersistenceTable table, boolean v6) {
    return IpPrefix.maskHigh(v6, length(table, v6));
  }

  private static long maskLow(PersistenceTable table, boolean v6) {
    return IpPrefix.maskLow(v6, length(table, v6));
  }

  private static int length(PersistenceTable table, boolean v6) {
    return v6 ? table.settings().v6PrefixLength() : table.settings().v4PrefixLength();
  }
}

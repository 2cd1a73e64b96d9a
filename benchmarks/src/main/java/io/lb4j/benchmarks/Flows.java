package io.lb4j.benchmarks;

import java.util.SplittableRandom;

/**
 * The flows of a benchmark, numbered: 256 clients times 64 services times as many client ports as it takes. Keys are
 * computed from the number, so that the flow list itself costs no cache miss. Immutable.
 */
final class Flows {
  static final int CLIENTS = 256;
  static final int SERVICES = 64;
  static final int SERVICE_PORT = 80;

  private static final int LOWEST_PORT = 1024;
  private static final int FIRST_VIP = 160;
  private static final long CLIENTS_V4 = 0xC633_6400L;
  private static final long VIPS_V4 = 0xC000_0200L + FIRST_VIP;
  private static final long CLIENTS_V6 = 0x2001_0DB8_000C_0000L;
  private static final long VIPS_V6 = 0x2001_0DB8_0005_0000L;
  private static final long LOW_V6 = 0x1000;

  private final boolean v6;

  Flows(boolean v6) {
    this.v6 = v6;
  }

  boolean isV6() {
    return v6;
  }

  static String vip(boolean v6, int service) {
    return v6 ? "2001:db8:5::" + Long.toHexString(LOW_V6 + service) : "192.0.2." + (FIRST_VIP + service);
  }

  long sourceHigh() {
    return v6 ? CLIENTS_V6 : 0;
  }

  long sourceLow(int flow) {
    return (v6 ? LOW_V6 : CLIENTS_V4) + (flow & CLIENTS - 1);
  }

  long destinationHigh() {
    return v6 ? VIPS_V6 : 0;
  }

  long destinationLow(int flow) {
    return (v6 ? LOW_V6 : VIPS_V4) + (flow >> 8 & SERVICES - 1);
  }

  int ports(int flow) {
    return LOWEST_PORT + (flow >> 14) << 16 | SERVICE_PORT;
  }

  /** All numbers below {@code count}, shuffled; the same order every time. */
  static int[] shuffled(int count) {
    int[] order = new int[count];
    SplittableRandom random = new SplittableRandom(42);
    for (int i = 1; i < count; i++) {
      int other = random.nextInt(i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    return order;
  }
}

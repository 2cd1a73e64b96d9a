package io.lb4j.benchmarks;

import java.util.SplittableRandom;

/**
 * The flows of a benchmark, numbered: clients times services times as many client ports as it takes. Keys are computed
 * from the number, so that the flow list itself costs no cache miss. Immutable.
 */
final class Flows {
  static final int CLIENTS = 256;
  static final int SERVICES = 64;
  static final int SERVICE_PORT = 80;

  /** More than a /24 of them have a network of their own. */
  static final int MOST_CLIENTS = 1 << 16;

  private static final int VIPS = 64; // services beyond have the same addresses and other ports
  private static final int LOWEST_PORT = 1024;
  private static final int HIGHEST_PORT = 65_535;
  private static final int FIRST_VIP = 160;
  private static final long CLIENTS_V4 = 0xC633_6400L; // 198.51.100.0
  private static final long MANY_CLIENTS_V4 = 0xC612_0000L; // 198.18.0.0
  private static final long VIPS_V4 = 0xC000_0200L + FIRST_VIP; // 192.0.2.160
  private static final long CLIENTS_V6 = 0x2001_0DB8_000C_0000L;
  private static final long VIPS_V6 = 0x2001_0DB8_0005_0000L;
  private static final long LOW_V6 = 0x1000;

  private final boolean v6;
  private final int clientMask;
  private final int clientBits;
  private final int serviceMask;
  private final int serviceBits;
  private final int firstService;

  Flows(boolean v6) {
    this(v6, CLIENTS, SERVICES);
  }

  /** Flows of other clients and services; both are powers of two. */
  Flows(boolean v6, int clients, int services) {
    this(v6, clients, services, 0);
  }

  /** Flows whose services are numbered from {@code firstService}. */
  Flows(boolean v6, int clients, int services, int firstService) {
    if (Integer.bitCount(clients) != 1 || clients > MOST_CLIENTS || Integer.bitCount(services) != 1) {
      throw new IllegalArgumentException("no powers of two: " + clients + " clients, " + services + " services");
    }
    this.v6 = v6;
    this.clientMask = clients - 1;
    this.clientBits = Integer.numberOfTrailingZeros(clients);
    this.serviceMask = services - 1;
    this.serviceBits = Integer.numberOfTrailingZeros(services);
    this.firstService = firstService;
  }

  boolean isV6() {
    return v6;
  }

  static String vip(boolean v6, int service) {
    int address = service % VIPS;
    return v6 ? "2001:db8:5::" + Long.toHexString(LOW_V6 + address) : "192.0.2." + (FIRST_VIP + address);
  }

  static int servicePort(int service) {
    return SERVICE_PORT + service / VIPS;
  }

  /** The service of a flow: each client has flows to all of them. */
  int service(int flow) {
    return firstService + ((flow ^ flow >>> clientBits) & serviceMask);
  }

  long sourceHigh() {
    return v6 ? CLIENTS_V6 : 0;
  }

  long sourceLow(int flow) {
    return (v6 ? LOW_V6 : clientMask < CLIENTS ? CLIENTS_V4 : MANY_CLIENTS_V4) + (flow & clientMask);
  }

  long destinationHigh() {
    return v6 ? VIPS_V6 : 0;
  }

  long destinationLow(int flow) {
    return (v6 ? LOW_V6 : VIPS_V4) + service(flow) % VIPS;
  }

  int ports(int flow) {
    return LOWEST_PORT + (flow >>> clientBits + serviceBits) << 16 | servicePort(service(flow));
  }

  /**
   * Another flow of the same client to the same service, beyond the first {@code count} numbers.
   *
   * @param flow below {@code count}
   * @param count flows that are taken
   * @param turn 0 or more: another flow for each
   */
  int another(int flow, int count, int turn) {
    int pairBits = clientBits + serviceBits;
    int ports = (count - 1 >>> pairBits) + 1;
    if ((long) ports * (turn + 2) > HIGHEST_PORT - LOWEST_PORT) {
      throw new IllegalArgumentException("too many flows for the ports that there are: " + count);
    }
    return flow + (ports * (turn + 1) << pairBits);
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

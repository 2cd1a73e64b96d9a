package io.lb4j.gateway;

import io.lb4j.address.IpAddress;

/**
 * Hears of mappings, for audit logs in the manner of RFC 6888, section 4. Called by the worker that owns the mapping,
 * within the burst: it must be quick, and must not throw. A new mapping is no steady state, so addresses are objects.
 */
public interface MappingListener {
  /** What a mapping is for. */
  enum Kind {
    /** TCP. */
    TCP,
    /** UDP. */
    UDP,
    /** ICMP queries: the port is the identifier. */
    ICMP
  }

  /**
   * A mapping was made.
   *
   * @param nowNs the time, on the balancer's clock
   * @param kind what for
   * @param inside address of the inside host
   * @param insidePort its port
   * @param outside external address
   * @param outsidePort external port
   */
  default void onMapped(
      long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {}

  /**
   * A mapping ended: its last session did.
   *
   * @param nowNs the time, on the balancer's clock
   * @param kind what for
   * @param inside address of the inside host
   * @param insidePort its port
   * @param outside external address
   * @param outsidePort external port
   */
  default void onUnmapped(
      long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {}

  /**
   * A packet was refused because no external port was free.
   *
   * @param nowNs the time, on the balancer's clock
   * @param kind what for
   * @param inside address of the inside host
   * @param insidePort its port
   * @param outside the external address that is used up; one of them when there are several
   */
  default void onExhausted(long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside) {}
}

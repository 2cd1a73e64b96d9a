package io.lb4j.persistence;

/**
 * Which of a client's new flows go to the server of its earlier ones. Clients are told apart by their addresses alone,
 * so a client's IPv4 and IPv6 addresses are two clients in any scope.
 */
public enum PersistenceScope {
  /** Those to the same port: for a service on a range of ports that are applications of their own. */
  PORT,
  /** Those to the service. */
  SERVICE,
  /** Those to all services of its group that have this scope. */
  GROUP,
  /**
   * Those to all services of this scope on its virtual addresses. Services that another one connects, because it has
   * an address of each, count together.
   */
  VIP;

  /**
   * Whether services may share their clients. A server is known by its address then, whatever its port.
   *
   * @return true for {@link #GROUP} and {@link #VIP}
   */
  public boolean isShared() {
    return this == GROUP || this == VIP;
  }
}

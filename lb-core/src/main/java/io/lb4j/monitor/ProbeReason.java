package io.lb4j.monitor;

import java.util.Locale;

/** Why a probe ended as it did. The codes are stable. */
public enum ProbeReason {
  /** The server answered as it should. */
  ANSWERED,
  /** Nothing came in time. */
  TIMED_OUT,
  /** The port is closed: the connection was refused, or ICMP said so. */
  REFUSED,
  /** No way to the server: no route, or ICMP said so. */
  UNREACHABLE,
  /** The server's MAC address is not known: it does not answer ARP or neighbour discovery. */
  NO_NEIGHBOR,
  /** The server is there but does not answer as the virtual address: it does not hold it on its loopback interface. */
  DSR_VIP_MISSING,
  /** An answer that is not the expected one. */
  WRONG_ANSWER,
  /** The connection ended before the answer was complete. */
  CLOSED,
  /** The function of the user threw, or the probe could not be sent at all. */
  FAILED;

  /**
   * The stable code.
   *
   * @return for example {@code dsr-vip-missing}
   */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}

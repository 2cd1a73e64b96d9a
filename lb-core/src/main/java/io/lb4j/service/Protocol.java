package io.lb4j.service;

import io.lb4j.wire.IpProtocol;

/** The transport protocol of a virtual service. */
public enum Protocol {
  /** Transmission control protocol. */
  TCP(IpProtocol.TCP),
  /** User datagram protocol. */
  UDP(IpProtocol.UDP);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /**
   * The number in the IP header.
   *
   * @return 6 or 17
   */
  public int number() {
    return number;
  }
}

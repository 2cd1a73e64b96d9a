package io.lb4j.forward;

import io.lb4j.frame.FrameView;

/** Sends ICMP errors as a router does (RFC 1812, section 4.3; RFC 4443, section 2.4). Owned by one worker. */
public interface IcmpErrors {
  /**
   * Tells the sender of a packet what became of it, from the address of the interface that it came in by. Nothing is
   * sent about ICMP errors, later fragments and packets without a single sender, nor beyond the rate limit.
   *
   * @param about the packet as it came, not rewritten
   * @param type of the message, in the packet's family
   * @param code of the message
   * @param word the 32 bits after the checksum: an MTU, or 0
   */
  void send(FrameView about, int type, int code, int word);
}

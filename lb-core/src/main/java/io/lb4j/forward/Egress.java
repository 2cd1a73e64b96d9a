package io.lb4j.forward;

import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;

/** The way out of the data path, shared by all forwarding methods. Owned by one worker. */
public interface Egress {
  /**
   * Writes the next hop's and our own MAC address, bytes 0 to 11, and chooses the interface. Marks that the interface
   * cannot carry are finished first. While the next hop is being resolved the frame is copied and held.
   *
   * @param frame complete above the link layer
   * @param link index of the interface
   * @param neighbor id of the next hop
   * @return {@link Verdict#FORWARD}, {@link Verdict#HOLD}, or a drop
   */
  Verdict send(FrameView frame, int link, int neighbor);
}

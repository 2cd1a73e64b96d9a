package io.lb4j.forward;

import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;

/** Sends a frame of a flow to its real server. Owned by one worker; allocates nothing and never throws. */
public interface Forwarder {
  /**
   * Rewrites a frame in place, above the link layer, and hands it to the egress.
   *
   * @param frame of the client, parsed
   * @param target the flow's server
   * @param egress writes the link layer and chooses the interface
   * @return what the egress answered, or a drop
   */
  Verdict forward(FrameView frame, ForwardTarget target, Egress egress);
}

package io.lb4j.frame;

import io.netty.buffer.ByteBuf;

/**
 * Takes the frames that the data path sends on its own account: answers that need a frame of their own, ARP and
 * neighbour discovery, announcements, and frames that waited. Called by the thread that called the data path.
 */
@FunctionalInterface
public interface FrameOutput {
  /**
   * Sends a frame. The receiver owns it from now on and releases it.
   *
   * @param interfaceIndex the interface to send it on
   * @param frame the frame from its reader index to its writer index
   * @param marks what travels beside the bytes, see {@link FrameMarks}
   * @return false when the port refused it (it was released all the same)
   */
  boolean transmit(int interfaceIndex, ByteBuf frame, long marks);
}

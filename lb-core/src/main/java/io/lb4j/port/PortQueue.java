package io.lb4j.port;

import io.lb4j.frame.FrameBatch;
import io.netty.buffer.ByteBuf;

/**
 * One receive queue and one transmit queue of a port. Owned by one worker, or each half by a thread of its own:
 * {@link #receive}, {@link #release} and {@link #await} by one, {@link #transmit} and {@link #flush} by another, at the
 * same time. No method blocks except {@link #await} and {@link #awaitAny}. No method throws for what a frame holds or
 * what the network does: an interface that went down receives nothing, refuses what it is given, counts it, and says so
 * in {@link Port#status()}.
 */
public interface PortQueue {
  /**
   * Adds waiting frames to a batch until it is full or none waits. Their memory stays the port's and is valid until
   * {@link #release()}; rewriting it in place is allowed.
   *
   * @param batch has room; frames are added behind those it holds
   * @param ingress the interface index to give them
   * @return how many were added
   */
  int receive(FrameBatch batch, int ingress);

  /** Ends the use of all frames received so far: the port may overwrite their memory. */
  void release();

  /**
   * Hands over a frame to be sent at the next {@link #flush()}. The memory stays the caller's and must not change
   * before {@code flush()} returned.
   *
   * @param buffer holds the frame
   * @param start index of its first byte
   * @param length of the frame without its check sequence
   * @param marks what travels beside the bytes; a mark that the port's traits do not carry is a refusal
   * @return false when the frame was refused and counted: too long, not carried, or no room; the caller still has it
   */
  boolean transmit(ByteBuf buffer, int start, int length, long marks);

  /**
   * Sends what was handed over. Frames that the device refuses now are counted as refused. Their memory is not read
   * afterwards, whatever became of them.
   *
   * @return how many of the frames handed over since the last flush were refused
   */
  int flush();

  /**
   * Waits until a frame is there or the time is over; may return early. The only method that blocks.
   *
   * @param timeoutNs at most this long, in nanoseconds
   */
  void await(long timeoutNs);

  /**
   * Waits until one of several queues has a frame or the time is over; may return early. Blocks as {@link #await} does.
   *
   * @param queues this one and others, of which the calling thread owns the receiving halves; always the same array
   * @param timeoutNs at most this long, in nanoseconds
   * @return false, at once, when this queue cannot wait for the others: a usual one does not know them
   */
  default boolean awaitAny(PortQueue[] queues, long timeoutNs) {
    return false;
  }
}

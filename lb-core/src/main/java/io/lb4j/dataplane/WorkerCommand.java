package io.lb4j.dataplane;

import io.lb4j.frame.FrameOutput;

/**
 * Something that control wants done by the thread that owns a data path, between two bursts. It may look at the flow
 * table and change it, and send frames; it must be short, because frames wait meanwhile.
 */
@FunctionalInterface
public interface WorkerCommand {
  /**
   * Does it.
   *
   * @param path the data path, owned by the calling thread
   * @param nowNs the time
   * @param out takes frames of the balancer's own, which are counted
   */
  void run(DataPath path, long nowNs, FrameOutput out);
}

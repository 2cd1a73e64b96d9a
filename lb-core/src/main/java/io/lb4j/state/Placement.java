package io.lb4j.state;

import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.flow.FlowRecord;
import io.lb4j.forward.Steering;
import io.lb4j.frame.FrameView;
import org.jspecify.annotations.Nullable;

/**
 * Which worker a saved flow belongs to, under one snapshot. Owned by the thread that restores.
 *
 * <p>Where frames are steered, to the worker that steering gives the source's packets to. Where the ports spread them,
 * nobody but the device knows; then to the worker that had the flow, if there are as many as there were: the same
 * device spreads the same packets in the same way.
 */
final class Placement {
  /** The answer where nobody knows. */
  static final int NOBODY = -1;

  private final Workers workers;
  private final int savedWorkers;
  private final @Nullable Steering steering;
  private final RecordFrame frame = new RecordFrame();

  Placement(Workers workers, int savedWorkers, ForwardingTable table) {
    this.workers = workers;
    this.savedWorkers = savedWorkers;
    this.steering = table.steering().orElse(null);
  }

  /** The worker of a flow that one of the saver's workers had. */
  int workerOf(FlowRecord flow, int savedWorker) {
    if (workers.count() == 1) {
      return 0;
    }
    if (!workers.steered() || steering == null) {
      return savedWorkers == workers.count() && savedWorker < savedWorkers ? savedWorker : NOBODY;
    }
    FrameView view = frame.of(flow);
    return frame.isPossible(flow) ? steering.ownerOf(view) : 0;
  }

  /** Who has it where the worker of {@link #workerOf} does not: what a server has begun from its service's port. */
  int otherWorkerOf(FlowRecord flow) {
    if (workers.count() == 1 || !workers.steered() || steering == null) {
      return NOBODY;
    }
    FrameView view = frame.of(flow);
    boolean hasPorts = frame.isPossible(flow) && !RecordFrame.isQuery(flow);
    int other = hasPorts ? steering.otherOwnerOf(view) : Steering.NOBODY;
    return other == Steering.NOBODY ? NOBODY : other;
  }
}

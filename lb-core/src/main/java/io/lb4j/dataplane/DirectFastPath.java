package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTracker;
import io.lb4j.frame.FrameStep;
import io.lb4j.frame.FrameView;
import io.lb4j.neighbor.NeighborTable;

/**
 * Nearly every frame of Direct Server Return: a plain segment of a known flow, to our MAC address, for a server about
 * which nothing has to be asked and whose MAC address is known. Whatever is otherwise is left to the walk, which would
 * end these frames in the same way. Owned by one worker; allocates nothing.
 */
final class DirectFastPath {
  private static final long SOURCE_GROUP_BIT = 0x0100;

  private final WorkerState state;
  private final FlowTable flows;
  private final DirectWays ways;
  private final FrameStep[] steps = {this::lookUp, this::search, this::finish};

  DirectFastPath(WorkerState state, NeighborTable neighbors) {
    this.state = state;
    this.flows = state.flows;
    this.ways = new DirectWays(neighbors);
  }

  /**
   * Forwards frames, parsed and hashed, up to one that has to be walked.
   *
   * @param views frames
   * @param first the first that has no verdict yet
   * @param size behind the last
   * @return the first that has no verdict now
   */
  int forward(FrameView[] views, int first, int size) {
    ways.refresh(state.table);
    return FrameStep.runAll(steps, views, first, size);
  }

  /** Looks into the home buckets of flows, up to a frame that is not to us. */
  private int lookUp(FrameView[] views, int first, int end) {
    long[] macs = state.linkMacs;
    FlowTable table = flows;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (!view.isUsual()) {
        return i;
      }
      long head = view.usualHead(); // the destination, and two bytes of the source
      if (head >>> 16 != macs[view.ingress()] || (head & SOURCE_GROUP_BIT) != 0) {
        return i;
      }
      long place =
          view.isV6()
              ? table.atHome6(
                  view.hash(),
                  view.sourceHigh(),
                  view.sourceLow(),
                  view.destinationHigh(),
                  view.destinationLow(),
                  view.ports(),
                  view.protocol())
              : table.atHome4(
                  view.hash(), view.sourceLow() << 32 | view.destinationLow(), view.ports(), view.protocol());
      view.setFlow(place);
    }
    return end;
  }

  /** Searches for flows that are not in their home buckets, up to a frame that has none. */
  private int search(FrameView[] views, int first, int end) {
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (view.flow() == FlowTable.NOWHERE) {
        long place = ServiceWalk.placeOf(flows, view);
        if (place == FlowTable.NOWHERE) {
          return i;
        }
        view.setFlow(place);
      }
    }
    return end;
  }

  /** Records, rewrites and counts, up to a frame that is to be walked. */
  private int finish(FrameView[] views, int first, int end) {
    WorkerCounters counters = state.counters;
    long[] macs = state.linkMacs;
    int tick = state.tick;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      long place = view.flow();
      int binding = FlowTracker.usualBinding(place, view, tick);
      long way = ways.of(binding);
      if (way == DirectWays.NONE) {
        return i;
      }
      FlowTracker.onUsual(place, view, tick);
      int link = DirectWays.link(way);
      view.setUsualMacs(DirectWays.mac(way), macs[link]);
      view.forward(link, binding);
      counters.onServerFrame(binding, view.length());
    }
    return end;
  }
}

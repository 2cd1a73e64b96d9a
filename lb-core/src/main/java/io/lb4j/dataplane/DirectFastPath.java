package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTracker;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameView;
import io.lb4j.neighbor.NeighborTable;

/**
 * Nearly every frame of Direct Server Return: a plain segment of a known flow, to our MAC address, for a server about
 * which nothing has to be asked and whose MAC address is known. Whatever is otherwise is left to the walk, which would
 * end these frames in the same way. Owned by one worker; allocates nothing.
 *
 * <p>A run of such frames goes through four short loops instead of one long one: the compiler keeps what a short loop
 * needs in registers, and makes no calls in it.
 */
final class DirectFastPath {
  private static final long SOURCE_GROUP_BIT = 0x0100;

  private final WorkerState state;
  private final FlowTable flows;
  private final DirectWays ways;

  DirectFastPath(WorkerState state, NeighborTable neighbors) {
    this.state = state;
    this.flows = state.flows;
    this.ways = new DirectWays(neighbors);
  }

  /**
   * Forwards frames of one interface, parsed and hashed, up to one that has to be walked.
   *
   * @param batch frames
   * @param first the first that has no verdict yet
   * @return the first that has no verdict now; its size when all have
   */
  int forward(FrameBatch batch, int first) {
    ways.refresh(state.table);
    FrameView[] views = batch.views();
    int end = lookUp(views, first, batch.size());
    end = search(views, first, end);
    return end > first ? finish(views, first, end) : end;
  }

  /** Looks into the home buckets of flows, up to a frame that is not to us, or came by another interface. */
  private int lookUp(FrameView[] views, int first, int end) {
    int ingress = views[first].ingress();
    long ourMac = state.linkMacs[ingress];
    FlowTable table = flows;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (!view.isUsual() || view.ingress() != ingress) {
        return i;
      }
      long head = view.usualHead(); // the destination, and two bytes of the source
      if (head >>> 16 != ourMac || (head & SOURCE_GROUP_BIT) != 0) {
        return i;
      }
      view.setFlow(view.isV6() ? atHome6(table, view) : atHome4(table, view));
    }
    return end;
  }

  private static long atHome4(FlowTable table, FrameView view) {
    return table.atHome4(
        view.hash(), view.sourceLow() << 32 | view.destinationLow(), view.ports(), view.protocol());
  }

  private static long atHome6(FlowTable table, FrameView view) {
    return table.atHome6(
        view.hash(),
        view.sourceHigh(),
        view.sourceLow(),
        view.destinationHigh(),
        view.destinationLow(),
        view.ports(),
        view.protocol());
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
    long bytes = 0;
    int next = first;
    for (; next < end; next++) {
      FrameView view = views[next];
      long place = view.flow();
      int binding = FlowTracker.usualBinding(place, view, tick);
      long way = ways.of(binding);
      if (way == DirectWays.NONE) {
        break;
      }
      FlowTracker.onUsual(place, view, tick);
      int link = DirectWays.link(way);
      view.setUsualMacs(DirectWays.mac(way), macs[link]);
      view.forward(link, binding);
      bytes += view.length();
      counters.onServerFrame(binding, view.length());
    }
    if (next > first) {
      int ingress = views[first].ingress();
      counters.onReceived(ingress, next - first, bytes);
      counters.onForwarded(ingress, next - first);
    }
    return next;
  }
}

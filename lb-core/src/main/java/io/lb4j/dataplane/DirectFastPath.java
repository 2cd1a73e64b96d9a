package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTracker;
import io.lb4j.frame.FrameGroup;
import io.lb4j.frame.FrameStep;
import io.lb4j.frame.FrameView;

/**
 * Nearly every frame of Direct Server Return: a plain segment of a known flow, to our MAC address, for a server about
 * which nothing has to be asked and whose MAC address is known. Whatever is otherwise is left to the walk, which would
 * end these frames in the same way. Owned by one worker; allocates nothing.
 */
final class DirectFastPath {
  private final WorkerState state;
  private final FlowTable flows;
  private final DirectWays ways;
  private final FrameStep lookUp = this::lookUp;
  private final FrameStep search = this::search;
  private final FrameStep finish = this::finish;
  private final FrameGroup group = new FrameGroup();
  private int elsewhere; // of the group, those whose flow may be in another bucket
  private int touched; // written only, so that the loads of buckets are kept

  DirectFastPath(WorkerState state, DirectWays ways) {
    this.state = state;
    this.flows = state.flows;
    this.ways = ways;
  }

  /**
   * Forwards frames of known flows that need nothing but that. Frames that have to be walked are not touched.
   *
   * @param views of a batch
   * @param frames the set to look at, as {@link io.lb4j.forward.Translator#forward}
   * @return those that have no flow; of the others, those that have a verdict now were forwarded
   */
  int forward(FrameView[] views, int frames) {
    ways.refresh(state.table);
    group.gather(views, frames);
    FrameView[] together = group.views();
    int all = group.frames();
    elsewhere = 0;
    int known = FrameStep.run(lookUp, together, all);
    if (elsewhere != 0) {
      touchBehind(together, elsewhere);
      known |= FrameStep.run(search, together, elsewhere);
    }
    if (known != 0) {
      FrameStep.run(finish, together, known);
    }
    return group.inBatch(all & ~known);
  }

  /**
   * The same for one frame, without the steps that pay for many only.
   *
   * @param view as above
   * @return whether it was forwarded
   */
  boolean forward(FrameView view) {
    ways.refresh(state.table);
    long place = flows.atHome(view);
    if (place <= FlowTable.ELSEWHERE) {
      return false;
    }
    view.setFlow(place);
    return finish(view, place, state.tick);
  }

  /** Looks into the home buckets of flows. */
  private int lookUp(FrameView[] views, int first, int end) {
    int missed = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      long place = flows.atHome(view);
      view.setFlow(place);
      if (place <= FlowTable.ELSEWHERE) {
        missed |= 1 << i;
        elsewhere |= (int) place << i;
      }
    }
    return missed;
  }

  /** Asks for the buckets that flows may be in which are not at home, in a loop so short that the misses overlap. */
  private void touchBehind(FrameView[] views, int frames) {
    int sum = 0;
    for (int rest = frames; rest != 0; rest &= rest - 1) {
      FrameView view = views[Integer.numberOfTrailingZeros(rest)];
      sum += flows.touchBehind(view.isV6(), view.hash());
    }
    touched = sum;
  }

  /** Searches for flows that are not in their home buckets but may be elsewhere. */
  private int search(FrameView[] views, int first, int end) {
    int missed = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      long place = flows.place(view);
      view.setFlow(place);
      if (place == FlowTable.NOWHERE) {
        missed |= 1 << i;
      }
    }
    return missed;
  }

  /** Records, rewrites and counts frames, except for those that are to be walked. */
  private int finish(FrameView[] views, int first, int end) {
    int tick = state.tick;
    int leftOut = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      if (!finish(view, view.flow(), tick)) {
        leftOut |= 1 << i;
      }
    }
    return leftOut;
  }

  private boolean finish(FrameView view, long place, int tick) {
    int binding = FlowTracker.usualBinding(place, view, tick);
    long way = ways.of(binding);
    int link = DirectWays.link(way);
    if (way == DirectWays.NONE || !state.isWhole(view, link)) {
      return false;
    }
    FlowTracker.onUsual(place, view, tick);
    view.setUsualMacs(DirectWays.mac(way), state.linkMacs[link]);
    view.forward(link, binding);
    state.counters.onServerFrame(binding, view.length());
    return true;
  }
}

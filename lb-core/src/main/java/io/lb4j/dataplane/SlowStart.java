package io.lb4j.dataplane;

import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Picker;
import org.jspecify.annotations.Nullable;

/**
 * Holds servers in slow start back, whatever the discipline. Every new flow of the pool earns each of them its fair
 * share of a flow, times the part of the period that has passed. A server that has not earned a whole flow is held: it
 * looks busiest of all, and if it is picked nevertheless, one that is settled takes its flow. So over all workers no
 * server has more flows than it has earned. Owned by one worker.
 */
final class SlowStart {
  /** What is left over of one flow counts for the next; beyond that nothing is saved up for a burst. */
  private static final double MOST_CREDIT = 2;

  private final Ramp ramp;
  private final int[] bindings; // of the servers in slow start
  private final double[] credit;
  private final boolean[] held; // by candidate
  private final Picker others;
  private final Settled settled;

  /**
   * Goes on where the worker was, for servers whose slow start does.
   *
   * @param pool with a ramp
   * @param former of the same service; null when nobody was in slow start
   * @param picker of the whole pool until now; null when there was none
   */
  SlowStart(Pool pool, @Nullable SlowStart former, @Nullable Picker picker) {
    this.ramp = pool.ramp();
    this.bindings = new int[ramp.starting().length];
    this.credit = new double[bindings.length];
    this.held = new boolean[pool.candidates().length];
    for (int i = 0; i < bindings.length; i++) {
      bindings[i] = pool.candidates()[ramp.starting()[i]];
      credit[i] = former == null ? 0 : former.credit(bindings[i], ramp.sinceNs()[i]);
      held[ramp.starting()[i]] = credit[i] < 1;
    }
    boolean unchanged = former != null && former.ramp.others() == ramp.others();
    this.others = unchanged ? former.others : ramp.others().newPicker(former == null ? picker : former.others);
    this.settled = new Settled(ramp.settled());
  }

  private double credit(int binding, long sinceNs) {
    for (int i = 0; i < bindings.length; i++) {
      if (bindings[i] == binding && ramp.sinceNs()[i] == sinceNs) {
        return credit[i];
      }
    }
    return 0;
  }

  boolean isOver(long nowNs) {
    for (long sinceNs : ramp.sinceNs()) {
      if (nowNs - sinceNs < ramp.periodNs()) {
        return false;
      }
    }
    return true;
  }

  /** Whether a candidate may not take a flow now. */
  boolean isHeld(int candidate) {
    return held[candidate];
  }

  /** A candidate that is settled. */
  int pickSettled(long hash, ActiveFlows active) {
    settled.all = active;
    return ramp.settled()[others.pick(hash, settled)];
  }

  /** Counts a new flow of the pool. */
  void onPicked(int candidate, long nowNs) {
    int[] starting = ramp.starting();
    for (int i = 0; i < starting.length; i++) {
      long passedNs = Math.max(0, Math.min(ramp.periodNs(), nowNs - ramp.sinceNs()[i]));
      double left = starting[i] == candidate ? Math.max(0, credit[i] - 1) : credit[i];
      credit[i] = Math.min(MOST_CREDIT, left + ramp.share()[i] * passedNs / ramp.periodNs());
      held[starting[i]] = credit[i] < 1 && passedNs < ramp.periodNs();
    }
  }

  /** What the settled ones' picker may ask about them. */
  private static final class Settled implements ActiveFlows {
    private final int[] candidates;
    private ActiveFlows all;

    Settled(int[] candidates) {
      this.candidates = candidates;
    }

    @Override
    public int of(int candidate) {
      return all.of(candidates[candidate]);
    }

    @Override
    public long responseNs(int candidate) {
      return all.responseNs(candidates[candidate]);
    }
  }
}

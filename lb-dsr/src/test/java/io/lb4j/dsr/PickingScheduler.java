package io.lb4j.dsr;

import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.Picker;
import io.lb4j.schedule.Schedule;
import io.lb4j.schedule.Scheduler;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * A scheduler that does what a test wants at each choice.
 *
 * @param choice answers the server's place, or throws; called by the workers
 */
record PickingScheduler(IntSupplier choice) implements Scheduler, Schedule, Picker {
  @Override
  public String name() {
    return "picking";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    return this;
  }

  @Override
  public Picker newPicker(Picker previous) {
    return this;
  }

  @Override
  public int pick(long hash, ActiveFlows active) {
    return choice.getAsInt();
  }
}

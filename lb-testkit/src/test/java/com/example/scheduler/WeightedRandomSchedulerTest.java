package com.example.scheduler;

import io.lb4j.schedule.Scheduler;
import io.lb4j.testkit.SchedulerContract;

class WeightedRandomSchedulerTest extends SchedulerContract {
  @Override
  protected Scheduler scheduler() {
    return new WeightedRandomScheduler();
  }
}

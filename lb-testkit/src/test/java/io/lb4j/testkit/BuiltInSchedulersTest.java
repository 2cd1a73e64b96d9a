package io.lb4j.testkit;

import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import org.junit.jupiter.api.Nested;

class BuiltInSchedulersTest {
  @Nested
  class RoundRobinTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.roundRobin();
    }

    @Override
    protected Shares shares() {
      return Shares.EQUAL;
    }

    @Override
    protected double tolerance() {
      return 0;
    }
  }

  @Nested
  class WeightedRoundRobinTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.weightedRoundRobin();
    }

    @Override
    protected double tolerance() {
      return 0;
    }
  }

  @Nested
  class LeastConnectionsTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.leastConnections();
    }

    @Override
    protected Shares shares() {
      return Shares.EQUAL;
    }

    @Override
    protected double tolerance() {
      return 0;
    }
  }

  @Nested
  class WeightedLeastConnectionsTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.weightedLeastConnections();
    }

    @Override
    protected double tolerance() {
      return 0;
    }
  }

  @Nested
  class SourceHashTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.sourceHash();
    }
  }

  @Nested
  class MaglevTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.maglev();
    }
  }

  @Nested
  class SmallMaglevTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.maglev(HashInputs.SOURCE, 8191);
    }
  }
}

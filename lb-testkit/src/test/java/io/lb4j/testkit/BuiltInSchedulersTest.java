package io.lb4j.testkit;

import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The built-in schedulers that take turns or compare servers. */
@Tag("one-jdk")
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
  class ShortestExpectedDelayTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.shortestExpectedDelay();
    }

    @Override
    protected double tolerance() {
      return 0;
    }
  }

  @Nested
  class NeverQueueTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.neverQueue();
    }

    @Override
    protected double tolerance() {
      return 0;
    }
  }

  @Nested
  class PowerOfTwoChoicesTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.powerOfTwoChoices();
    }

    @Override
    protected double tolerance() {
      return 0.0005;
    }
  }

  /** No response time is known here, so the weights decide. */
  @Nested
  class FastestResponseTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.fastestResponse();
    }

    @Override
    protected double tolerance() {
      return 0;
    }
  }
}

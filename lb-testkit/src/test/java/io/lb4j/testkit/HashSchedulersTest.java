package io.lb4j.testkit;

import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The built-in schedulers that choose by a hash; apart from the others, so that both run side by side. */
@Tag("one-jdk")
class HashSchedulersTest {
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

  /** A fourth of the default rows, as building them for 4,096 servers is most of what this suite would do. */
  @Nested
  class RendezvousTest extends SchedulerContract {
    @Override
    protected Scheduler scheduler() {
      return Schedulers.rendezvous(HashInputs.SOURCE, 1 << 14);
    }
  }
}

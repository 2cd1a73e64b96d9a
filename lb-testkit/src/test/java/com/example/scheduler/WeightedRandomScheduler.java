package com.example.scheduler;

import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.Picker;
import io.lb4j.schedule.Schedule;
import io.lb4j.schedule.Scheduler;
import java.util.Arrays;
import java.util.List;

/** A discipline as a third party would write it: a seeded random pick in proportion to the weights. */
public final class WeightedRandomScheduler implements Scheduler {
  @Override
  public String name() {
    return "weighted-random";
  }

  @Override
  public Schedule prepare(List<Candidate> candidates, long seed) {
    long[] ends = candidates.stream().mapToLong(Candidate::weight).toArray();
    Arrays.parallelPrefix(ends, Long::sum);
    return previous -> new RandomPicker(ends, previous instanceof RandomPicker former ? former.state : seed);
  }

  /** Owned by one worker. After a change of candidates it goes on with its sequence of random numbers. */
  private static final class RandomPicker implements Picker {
    private final long[] ends;
    private long state;

    RandomPicker(long[] ends, long state) {
      this.ends = ends;
      this.state = state;
    }

    @Override
    public int pick(long hash, ActiveFlows active) {
      state += 0x9E37_79B9_7F4A_7C15L;
      long random = (state ^ state >>> 32) * 0xD6E8_FEB8_6659_FD93L;
      random = (random ^ random >>> 32) * 0xD6E8_FEB8_6659_FD93L;
      long point = Long.remainderUnsigned(random ^ random >>> 32, ends[ends.length - 1]);
      int found = Arrays.binarySearch(ends, point + 1);
      return found >= 0 ? found : -found - 1;
    }
  }
}

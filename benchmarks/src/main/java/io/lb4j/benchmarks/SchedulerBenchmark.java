package io.lb4j.benchmarks;

import io.lb4j.schedule.ActiveFlows;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.Picker;
import io.lb4j.schedule.Schedulers;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A pick: flows live for a while on the servers they were given, so that counts differ as they do in use. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SchedulerBenchmark {
  private static final int LIVING = 1 << 12;

  /** Name of the discipline. */
  @Param({"rr", "wrr", "lc", "wlc", "sed", "nq", "p2c", "fastest", "sh", "maglev", "hrw"})
  public String scheduler;

  /** Servers of the service. */
  @Param({"4", "16", "256"})
  public int servers;

  private final SplittableRandom random = new SplittableRandom(42);
  private final short[] living = new short[LIVING]; // the server of each living flow
  private int[] counts;
  private long[] times;
  private ActiveFlows active;
  private Picker picker;
  private int next;

  /** Makes servers of weights 1 to 4. */
  @Setup
  public void prepare() {
    List<Candidate> candidates = new ArrayList<>();
    counts = new int[servers];
    times = new long[servers];
    for (int i = 0; i < servers; i++) {
      candidates.add(new Candidate("192.0.2." + i, 1 + (i & 3)));
      times[i] = 100_000 + random.nextInt(100_000);
    }
    active = new ActiveFlows() {
      @Override
      public int of(int candidate) {
        return counts[candidate];
      }

      @Override
      public long responseNs(int candidate) {
        return times[candidate];
      }
    };
    picker = Schedulers.named(scheduler).orElseThrow().prepare(candidates, 7).newPicker(null);
    counts[0] = LIVING;
  }

  /** One flow begins, and the oldest ends. */
  @Benchmark
  public int pick() {
    int picked = picker.pick(random.nextLong(), active);
    int place = next++ & LIVING - 1;
    counts[living[place]]--;
    living[place] = (short) picked;
    counts[picked]++;
    return picked;
  }
}

package io.lb4j.benchmarks;

import io.lb4j.frame.FrameBatch;
import io.lb4j.wire.OffHeap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What this machine's memory gives at most, whatever the program: a cache line at a random place of a table's kind of
 * memory. The other benchmarks' nanoseconds are to be read beside it, because machines of the same name differ in them
 * by more than programs do. A known flow takes a line for its headers and one or two for its entry.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(MemoryBenchmark.LINES)
@Fork(
    value = 2,
    jvmArgsAppend = {
      "-Xms1g", "-Xmx1g", "-XX:MaxDirectMemorySize=2g", "--enable-native-access=ALL-UNNAMED"
    })
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MemoryBenchmark {
  static final int LINES = 4096;
  private static final int LINE = 64;

  /** Size of the memory; a table of 65,536 flows has about 4 MiB, one of a million 64. */
  @Param({"4", "64", "640"})
  public int mebibytes;

  private final long[] places = new long[FrameBatch.CAPACITY];
  private OffHeap memory;
  private int lines;
  private long random = 88_172_645_463_325_252L;

  /** Writes every line once, so that all of it is there. */
  @Setup
  public void fill() {
    lines = mebibytes << 20 >> 6;
    memory = OffHeap.of((long) lines * LINE);
    for (int line = 0; line < lines; line++) {
      memory.setInt((long) line * LINE, 0);
    }
  }

  /** Marsaglia's xorshift (Journal of Statistical Software 8, 2003). */
  private long nextPlace() {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    return memory.place(((random >>> 32) * lines >>> 32) * LINE);
  }

  /** Places that are known beforehand, 32 at a time, as in a batch: misses overlap. */
  @Benchmark
  public int inBatches() {
    int sum = 0;
    for (int done = 0; done < LINES; done += FrameBatch.CAPACITY) {
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        places[i] = nextPlace();
      }
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        sum += memory.getIntAt(places[i]);
      }
    }
    return sum;
  }

  /** Each place depends on what was read at the one before: misses add up. */
  @Benchmark
  public int oneAfterAnother() {
    int sum = 0;
    for (int i = 0; i < LINES; i++) {
      int read = memory.getIntAt(nextPlace());
      random += read; // 0, but only the memory knows
      sum += read;
    }
    return sum;
  }
}

package io.lb4j.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dataplane.DataPath;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
class WorkersTest {
  private static final long SHORT = 30;
  private static final long LONG = 20_000;

  private final LoadBalancer balancer =
      LoadBalancer.builder().networkInterface("eth0", i -> i.mac("02:00:00:00:00:05")).flowTable(16).build();
  private final DataPath path = balancer.dataPath();
  private final AtomicBoolean running = new AtomicBoolean(true);
  private final AtomicBoolean ticking = new AtomicBoolean(true);
  private final AtomicInteger ticks = new AtomicInteger();

  private Workers workers(long patienceMillis) {
    Workers.Threads threads =
        new Workers.Threads() {
          @Override
          public boolean running() {
            return running.get();
          }

          @Override
          public boolean steered() {
            return true;
          }
        };
    return new Workers(List.of(path), threads, System::nanoTime, patienceMillis);
  }

  static Stream<Throwable> failures() {
    return Stream.of(new IllegalArgumentException("of the step"), new NoClassDefFoundError("of the step"));
  }

  /** What a worker's thread does, but for frames. */
  private Thread tick() {
    Thread worker =
        new Thread(
            () -> {
              while (ticking.get()) {
                if (path.hasCommands()) {
                  ticks.incrementAndGet();
                  path.tick(System.nanoTime(), (link, frame, marks) -> false);
                }
                Thread.onSpinWait();
              }
            });
    worker.start();
    return worker;
  }

  @AfterEach
  void close() {
    ticking.set(false);
    balancer.close();
  }

  @Test
  void shouldLetFramesPassBetweenTwoSteps() throws InterruptedException {
    Thread worker = tick();
    List<Integer> tickOfStep = new ArrayList<>();
    workers(LONG)
        .run(
            0,
            (own, nowNs) -> {
              tickOfStep.add(ticks.get());
              return tickOfStep.size() < 50;
            });
    assertThat(tickOfStep).hasSize(50).doesNotHaveDuplicates();
    ticking.set(false);
    worker.join();
  }

  @Test
  void shouldGiveUpOnAWorkerThatDoesNothingAndLetItDoNothingLater() {
    AtomicInteger steps = new AtomicInteger();
    assertThatExceptionOfType(WorkersBusyException.class)
        .isThrownBy(() -> workers(SHORT).run(0, (own, nowNs) -> steps.incrementAndGet() < 2))
        .withMessageContaining("worker 0");
    path.tick(System.nanoTime(), (link, frame, marks) -> false);
    assertThat(steps).hasValue(0);
    assertThat(path.hasCommands()).isFalse();
  }

  @Test
  void shouldSayThatTheBalancerWasClosedMeanwhile() {
    AtomicInteger asked = new AtomicInteger();
    Workers.Threads closing =
        new Workers.Threads() {
          @Override
          public boolean running() {
            return asked.incrementAndGet() == 1;
          }

          @Override
          public boolean steered() {
            return true;
          }
        };
    Workers workers = new Workers(List.of(path), closing, System::nanoTime, SHORT);
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> workers.run(0, (own, nowNs) -> false))
        .withMessageContaining("closed");
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldTellTheCallerOfAFailureAndGoOn(Throwable failure) throws InterruptedException {
    Thread worker = tick();
    Workers workers = workers(LONG);
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(
            () ->
                workers.run(
                    0,
                    (own, nowNs) -> {
                      if (failure instanceof Error error) {
                        throw error;
                      }
                      throw (RuntimeException) failure;
                    }))
        .withCause(failure);
    AtomicInteger steps = new AtomicInteger();
    workers.run(0, (own, nowNs) -> steps.incrementAndGet() < 3);
    assertThat(steps).hasValue(3);
    ticking.set(false);
    worker.join();
  }

  @Test
  void shouldDoAllStepsAtOnceWhereNoThreadOwnsTheDataPath() {
    running.set(false);
    List<Thread> threads = new ArrayList<>();
    workers(SHORT)
        .run(
            0,
            (own, nowNs) -> {
              threads.add(Thread.currentThread());
              return threads.size() < 50;
            });
    assertThat(threads).hasSize(50).containsOnly(Thread.currentThread());
  }
}

package io.lb4j.health;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads that probes run on, and nothing else does: virtual ones where the JDK has them, else a bounded pool. Safe
 * from any thread.
 */
final class ProbeThreads {
  private static final String NAME = "lb4j-probe-";
  private static final long IDLE_SECONDS = 30;
  private static final long END_SECONDS = 2;

  private final ExecutorService executor;

  ProbeThreads(ExecutorService executor) {
    this.executor = executor;
  }

  /** Virtual threads, else a pool of so many. */
  static ProbeThreads of(int most) {
    return virtual().orElseGet(() -> pool(most));
  }

  /** A pool that grows to so many threads and keeps none that is idle. */
  static ProbeThreads pool(int most) {
    AtomicInteger number = new AtomicInteger();
    ThreadFactory factory =
        task -> {
          Thread thread = new Thread(task, NAME + number.getAndIncrement());
          thread.setDaemon(true);
          return thread;
        };
    return new ProbeThreads(
        new ThreadPoolExecutor(0, most, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), factory));
  }

  /** Looked up by name: the source is Java 17's, virtual threads are Java 21's. */
  static Optional<ProbeThreads> virtual() {
    try {
      MethodHandles.Lookup lookup = MethodHandles.publicLookup();
      Class<?> builder = Class.forName("java.lang.Thread$Builder");
      Class<?> ofVirtual = Class.forName("java.lang.Thread$Builder$OfVirtual");
      Object unnamed = lookup.findStatic(Thread.class, "ofVirtual", MethodType.methodType(ofVirtual)).invoke();
      Object named =
          lookup
              .findVirtual(ofVirtual, "name", MethodType.methodType(ofVirtual, String.class, long.class))
              .invoke(unnamed, NAME, 0L);
      Object factory =
          lookup.findVirtual(builder, "factory", MethodType.methodType(ThreadFactory.class)).invoke(named);
      Object executor =
          lookup
              .findStatic(
                  Executors.class,
                  "newThreadPerTaskExecutor",
                  MethodType.methodType(ExecutorService.class, ThreadFactory.class))
              .invoke((ThreadFactory) factory);
      return Optional.of(new ProbeThreads((ExecutorService) executor));
    } catch (Throwable absent) { // a JDK before 21, or one that has them as a preview
      return Optional.empty();
    }
  }

  /** Runs a task at once; answers false when no thread is free, or the system gives none. */
  boolean run(Runnable task) {
    try {
      executor.execute(task);
      return true;
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      return false;
    }
  }

  /** Interrupts what runs and waits for it a little; answers whether the calling thread may wait on. */
  boolean end() {
    executor.shutdownNow();
    try {
      executor.awaitTermination(END_SECONDS, TimeUnit.SECONDS);
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  boolean hasEnded() {
    return executor.isTerminated();
  }
}

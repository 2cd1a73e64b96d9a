package io.lb4j.state;

import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.WorkerCommand;
import io.lb4j.frame.FrameOutput;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/**
 * Lets the owners of data paths do something in steps, between their bursts. While the balancer's threads run, its
 * workers do it and the caller waits; else the calling thread does it itself. Safe from any thread in the first case;
 * in the second the calling thread has to own the data paths.
 */
final class Workers {
  private static final long PATIENCE_MILLIS = 5_000;
  private static final long LOOK_MILLIS = 100;

  private final List<DataPath> paths;
  private final Threads threads;
  private final LongSupplier clock;
  private final long patienceMillis;

  /** How the balancer runs. */
  interface Threads {
    /** Whether threads of the balancer own the data paths. */
    boolean running();

    /** Whether frames are steered to the worker of their flow; else the ports spread them. */
    boolean steered();
  }

  /** A piece of work that is done bit by bit. */
  @FunctionalInterface
  interface Step {
    /** Does a bit, short enough for frames to wait; answers whether there is more to do. */
    boolean run(DataPath path, long nowNs);
  }

  Workers(List<DataPath> paths, Threads threads, LongSupplier clock) {
    this(paths, threads, clock, PATIENCE_MILLIS);
  }

  Workers(List<DataPath> paths, Threads threads, LongSupplier clock, long patienceMillis) {
    this.paths = paths;
    this.threads = threads;
    this.clock = clock;
    this.patienceMillis = patienceMillis;
  }

  int count() {
    return paths.size();
  }

  /** Whether frames find the worker of their flow, whatever queue they come by. */
  boolean steered() {
    return threads.steered();
  }

  long nowNs() {
    return clock.getAsLong();
  }

  /**
   * Has all steps done by a worker, or by the calling thread.
   *
   * @throws WorkersBusyException when no step is done for some seconds
   * @throws IllegalStateException when the balancer is closed meanwhile
   */
  void run(int worker, Step step) {
    if (!threads.running()) {
      DataPath path = paths.get(worker);
      path.runNow(
          (own, nowNs, out) -> {
            while (step.run(own, nowNs)) {
              // nobody waits for this thread
            }
          },
          clock.getAsLong());
      return;
    }
    Command command = new Command(step);
    paths.get(worker).submit(command);
    await(worker, command);
  }

  /** Has a step per worker done by all of them at a time. */
  void runAll(List<Step> steps) {
    if (!threads.running()) {
      for (int worker = 0; worker < steps.size(); worker++) {
        run(worker, steps.get(worker));
      }
      return;
    }
    List<Command> commands = steps.stream().map(Command::new).toList();
    for (int worker = 0; worker < commands.size(); worker++) {
      paths.get(worker).submit(commands.get(worker));
    }
    try {
      for (int worker = 0; worker < commands.size(); worker++) {
        await(worker, commands.get(worker));
      }
    } finally {
      commands.forEach(Command::cancel);
    }
  }

  private void await(int worker, Command command) {
    long steps = 0;
    long sinceNs = System.nanoTime();
    while (true) {
      try {
        command.done.get(Math.min(LOOK_MILLIS, patienceMillis), TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        long nowNs = System.nanoTime();
        if (command.steps != steps) {
          steps = command.steps;
          sinceNs = nowNs;
        }
        giveUp(worker, command, nowNs - sinceNs);
      } catch (ExecutionException e) {
        throw new IllegalStateException("a worker failed at what was asked of it", e.getCause());
      } catch (InterruptedException e) {
        command.cancel();
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while a worker was asked", e);
      }
    }
  }

  private void giveUp(int worker, Command command, long waitedNs) {
    if (!threads.running()) {
      command.cancel();
      throw new IllegalStateException("the balancer was closed while a worker was asked");
    }
    if (waitedNs > TimeUnit.MILLISECONDS.toNanos(patienceMillis)) {
      command.cancel();
      throw new WorkersBusyException(worker, patienceMillis);
    }
  }

  /** A step on its way; written by the worker, read by who waits. */
  private static final class Command implements WorkerCommand {
    private final Step step;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private volatile long steps;
    private volatile boolean cancelled;

    Command(Step step) {
      this.step = step;
    }

    void cancel() {
      cancelled = true;
    }

    @Override
    public void run(DataPath path, long nowNs, FrameOutput out) {
      if (cancelled) {
        return;
      }
      try {
        boolean more = step.run(path, nowNs);
        steps = steps + 1;
        if (more) {
          path.again(this);
        } else {
          done.complete(null);
        }
      } catch (RuntimeException | Error e) {
        done.completeExceptionally(e);
      }
    }
  }
}

package io.lb4j.control;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control side's heartbeat: monitors, rates, whatever waits for time and not for a frame. Safe from any thread; the
 * tasks run one after the other. With a thread of its own once started, else whenever {@link #tick} is called.
 */
public final class ControlLoop {
  private static final Logger LOG = LoggerFactory.getLogger(ControlLoop.class);
  private static final long LONGEST_SLEEP_NS = 100_000_000;
  private static final long SECOND_NS = 1_000_000_000L;
  private static final long JOIN_MILLIS = 5_000;

  private final LongSupplier clock;
  private final List<ControlTask> tasks = new CopyOnWriteArrayList<>();
  private final List<ControlTask> lastTasks = new CopyOnWriteArrayList<>();
  private volatile Thread thread;

  /**
   * A loop without tasks.
   *
   * @param clock nanoseconds, never running backwards
   */
  public ControlLoop(LongSupplier clock) {
    this.clock = clock;
  }

  /**
   * Adds a task.
   *
   * @param task called from now on
   */
  public void add(ControlTask task) {
    tasks.add(task);
  }

  /**
   * Adds a task that comes after the others in every tick: it hears of what they did.
   *
   * @param task called from now on
   */
  public void addLast(ControlTask task) {
    lastTasks.add(task);
  }

  /**
   * Does what is due. One caller at a time; others wait.
   *
   * @param nowNs the time
   * @return when to call again at the latest
   */
  public synchronized long tick(long nowNs) {
    return tick(lastTasks, nowNs, tick(tasks, nowNs, nowNs + SECOND_NS));
  }

  private static long tick(List<ControlTask> tasks, long nowNs, long latestNs) {
    long deadlineNs = latestNs;
    for (ControlTask task : tasks) {
      try {
        long next = task.tick(nowNs);
        deadlineNs = next - deadlineNs < 0 ? next : deadlineNs;
      } catch (RuntimeException | Error e) {
        LOG.error("a control task failed", e);
      }
    }
    return deadlineNs;
  }

  /** Starts the thread. */
  public void start() {
    Thread starting = new Thread(this::run, "lb4j-control");
    starting.setDaemon(true);
    thread = starting;
    starting.start();
  }

  /** Lets the thread look again at once. */
  public void wake() {
    LockSupport.unpark(thread);
  }

  private void run() {
    Thread own = Thread.currentThread();
    while (thread == own) {
      long deadlineNs = tick(clock.getAsLong());
      long wait = Math.min(deadlineNs - clock.getAsLong(), LONGEST_SLEEP_NS);
      if (wait > 0 && thread == own) {
        LockSupport.parkNanos(this, wait);
      }
    }
  }

  /**
   * Ends the thread, if there is one.
   *
   * @return false when the calling thread was interrupted meanwhile
   */
  public boolean stop() {
    Thread running = thread;
    thread = null;
    if (running == null || running == Thread.currentThread()) {
      return true;
    }
    LockSupport.unpark(running);
    try {
      running.join(JOIN_MILLIS);
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }
}

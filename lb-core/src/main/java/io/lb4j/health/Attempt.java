package io.lb4j.health;

import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A probe under way. Control begins it, and may abandon it; whoever carries it out ends it, once, from any thread.
 */
final class Attempt implements Consumer<ProbeResult> {
  private final MonitorRun run;
  private final boolean threaded;
  private final Consumer<Attempt> ended;
  private final OpenSocket socket = new OpenSocket();
  private @Nullable Thread carrier; // guarded by this
  private boolean abandoned; // guarded by this
  private boolean begun; // guarded by this
  private volatile @Nullable ProbeResult result;
  private volatile boolean notMade;

  /** An attempt; {@code threaded} when a thread of ours carries it out. */
  Attempt(MonitorRun run, boolean threaded, Consumer<Attempt> ended) {
    this.run = run;
    this.threaded = threaded;
    this.ended = ended;
  }

  MonitorRun run() {
    return run;
  }

  OpenSocket socket() {
    return socket;
  }

  /** Whether a thread of ours is occupied until it ends, abandoned or not. */
  boolean isThreaded() {
    return threaded;
  }

  /** Carries a probe out on the calling thread. What it throws is its answer: nobody is to wait for ever. */
  void carryOut(Callable<ProbeResult> probe) {
    ProbeResult found;
    try {
      found = begins() ? probe.call() : ProbeResult.failed(ProbeReason.FAILED, "abandoned before it began");
    } catch (NotMadeException | OutOfMemoryError e) {
      notMade = true;
      found = ProbeResult.failed(ProbeReason.FAILED, String.valueOf(e.getMessage()));
    } catch (Throwable e) {
      found = ProbeResult.failed(ProbeReason.FAILED, e.toString());
    }
    ends();
    accept(found);
  }

  private synchronized boolean begins() {
    carrier = Thread.currentThread();
    begun = true;
    return !abandoned;
  }

  /** Whether it waits for a thread yet: virtual ones are many, but the processors that carry them are few. */
  synchronized boolean isWaiting() {
    return threaded && !begun;
  }

  /** The thread may be another probe's next: it is not interrupted any more, nor does it stay so. */
  private synchronized void ends() {
    carrier = null;
    Thread.interrupted();
  }

  @Override
  public void accept(ProbeResult found) {
    result = found;
    ended.accept(this);
  }

  /** What was found; null before the end. */
  @Nullable ProbeResult result() {
    return result;
  }

  /** Whether it ended without asking the server, for want of something here. */
  boolean isNotMade() {
    return notMade;
  }

  /** Closes its socket and interrupts its thread; it ends in its own time. */
  void abandon() {
    socket.abandon();
    synchronized (this) {
      abandoned = true;
      if (carrier != null) {
        carrier.interrupt();
      }
    }
  }
}

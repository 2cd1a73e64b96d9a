package io.lb4j.health;

import io.lb4j.monitor.Check;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.monitor.ProbeTarget;
import io.lb4j.service.Health;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One monitor at work on one server: at most one probe in flight, its results counted. Owned by the control thread.
 */
final class MonitorRun {
  private static final long POSTPONE_NS = 20_000_000;
  private static final long GRACE_NS = 1_000_000_000;

  private final ServerWatch watch;
  private final Monitor monitor;
  private final int port;
  private final Tally tally;
  private final StartTimes starts;
  private @Nullable Attempt inFlight;
  private @Nullable Attempt lingering; // abandoned, its thread not yet free
  private long giveUpNs;
  private boolean stopped;
  private @Nullable ProbeResult lastFailure;
  private int entry;

  MonitorRun(
      ServerWatch watch, Monitor monitor, int port, Health before, SplittableRandom random, long nowNs) {
    this.watch = watch;
    this.monitor = monitor;
    this.port = port;
    this.tally = new Tally(monitor.in(), monitor.out(), before);
    this.starts = new StartTimes(monitor, random, nowNs);
  }

  ServerWatch watch() {
    return watch;
  }

  Monitor monitor() {
    return monitor;
  }

  int port() {
    return port;
  }

  ProbeTarget target() {
    return watch.target(port, monitor.timeout());
  }

  Health health() {
    return tally.health();
  }

  /** Numbers the run's place in the engine's queue anew; a place of another number is not in use any more. */
  int newEntry() {
    return ++entry;
  }

  boolean isAt(int number) {
    return !stopped && entry == number;
  }

  /** When something is to be done next. */
  long dueNs() {
    return inFlight != null ? giveUpNs : starts.nextNs();
  }

  /** The code of the last failure. */
  String reason() {
    return lastFailure == null ? "" : lastFailure.reason().code();
  }

  /** The last failure in words, with what was asked. */
  String detail() {
    String what = monitor.check().type() + (monitor.check().needsPort() ? " port " + port : "");
    return lastFailure == null || lastFailure.detail().isEmpty() ? what : what + ": " + lastFailure.detail();
  }

  /** Does what is due; answers whether a result came of it. */
  boolean onTime(long nowNs, Prober prober, HealthEngine engine) {
    boolean result = false;
    if (inFlight != null && giveUpNs - nowNs <= 0) {
      Attempt late = inFlight;
      inFlight = null;
      lingering = late.isThreaded() ? late : null;
      result = !late.isWaiting(); // nobody has asked the server yet
      late.abandon();
      if (result) {
        record(ProbeResult.failed(ProbeReason.TIMED_OUT, SocketProbes.timedOut(target())));
      }
    }
    return startIfDue(nowNs, prober, engine) || result;
  }

  private boolean startIfDue(long nowNs, Prober prober, HealthEngine engine) {
    if (stopped || inFlight != null || !starts.isDue(nowNs)) {
      return false;
    }
    if (lingering != null && lingering.isWaiting()) {
      starts.postpone(nowNs, POSTPONE_NS);
      engine.onPostponed();
      return false;
    }
    if (lingering != null) {
      starts.onStart(nowNs);
      record(ProbeResult.failed(ProbeReason.TIMED_OUT, "the probe before has not ended yet"));
      return true;
    }
    inFlight = prober.begin(this, engine::onEnd);
    if (inFlight == null) {
      starts.postpone(nowNs, POSTPONE_NS);
      engine.onPostponed();
    } else {
      engine.onBegin();
      starts.onStart(nowNs);
      giveUpNs = nowNs + monitor.timeout().toNanos() + (monitor.check() instanceof Check.Own ? 0 : GRACE_NS);
    }
    return false;
  }

  /** A probe of ours has ended; answers whether its result counts. */
  boolean onEnd(Attempt attempt, long nowNs, Prober prober, HealthEngine engine) {
    if (attempt == lingering) {
      lingering = null;
    }
    if (attempt != inFlight) {
      return false;
    }
    inFlight = null;
    if (attempt.isNotMade()) {
      engine.onNotMade(attempt.result().detail());
    } else {
      record(attempt.result());
    }
    startIfDue(nowNs, prober, engine);
    return true;
  }

  private void record(ProbeResult result) {
    lastFailure = result.ok() ? lastFailure : result;
    tally.onResult(result.ok());
  }

  /** Probes no more; what is in flight is abandoned. */
  void stop() {
    stopped = true;
    if (inFlight != null) {
      inFlight.abandon();
      inFlight = null;
    }
  }
}

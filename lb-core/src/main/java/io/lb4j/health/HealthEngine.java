package io.lb4j.health;

import io.lb4j.monitor.FrameProber;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.service.Activity;
import io.lb4j.service.Health;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the real servers: begins probes when they are due, counts what comes of them, watches the clients'
 * connections where that is wanted, and reports. Owned by the control thread, which ticks it, until whoever closes the
 * balancer ends it; probes run on threads of their own and at the data path, and their results come back through a
 * queue.
 */
public final class HealthEngine {
  private static final Logger LOG = LoggerFactory.getLogger(HealthEngine.class);
  private static final long SECOND_NS = 1_000_000_000L;

  private final WatchedServers servers;
  private final ProbeThreads threads;
  private final Prober prober;
  private final SplittableRandom random;
  private final Runnable wake;
  private final Queue<Attempt> ended = new ConcurrentLinkedQueue<>();
  private final PriorityQueue<Due> due = new PriorityQueue<>();
  private final ServiceObservations observations;
  private final List<HealthReport> reports = new ArrayList<>();
  private Map<Key, ServerWatch> watches = new LinkedHashMap<>();
  private long declarations;
  private volatile long begun;
  private volatile long postponed;
  private long notMade;
  private boolean over;

  private record Key(String service, String identity) {}

  /** A run's place in the queue: only the last that it was given counts. */
  private record Due(long atNs, MonitorRun run, int entry) implements Comparable<Due> {
    @Override
    public int compareTo(Due other) {
      return Long.signum(atNs - other.atNs);
    }
  }

  /**
   * An engine that has not looked at any declaration yet.
   *
   * @param servers whom it watches and tells
   * @param frames makes the probes that are frames
   * @param threads how many probes run at once on a JDK without virtual threads
   * @param seed of starting times
   * @param wake asks for a tick; called by any thread
   */
  public HealthEngine(WatchedServers servers, FrameProber frames, int threads, long seed, Runnable wake) {
    this(servers, frames, ProbeThreads.of(threads), seed, wake);
  }

  HealthEngine(WatchedServers servers, FrameProber frames, ProbeThreads threads, long seed, Runnable wake) {
    this.servers = servers;
    this.threads = threads;
    this.prober = new Prober(frames, threads);
    this.random = new SplittableRandom(seed);
    this.wake = wake;
    this.observations = new ServiceObservations(servers, reports);
  }

  /**
   * Does what is due.
   *
   * @param nowNs the time
   * @return when to call again at the latest
   */
  public synchronized long tick(long nowNs) {
    if (over) {
      return nowNs + SECOND_NS;
    }
    long present = servers.declarations();
    if (present != declarations) {
      declarations = present;
      adopt(servers.services(), nowNs);
    }
    for (Attempt attempt = ended.poll(); attempt != null; attempt = ended.poll()) {
      onEnd(attempt, nowNs);
    }
    for (Due next = due.peek(); next != null && next.atNs - nowNs <= 0; next = due.peek()) {
      due.poll();
      if (next.run.isAt(next.entry)) {
        onTime(next.run, nowNs);
      }
    }
    long observeNs = observations.tick(nowNs);
    if (!reports.isEmpty()) {
      servers.report(List.copyOf(reports));
      reports.clear();
    }
    long probeNs = due.isEmpty() ? nowNs + SECOND_NS : due.peek().atNs;
    return probeNs - observeNs < 0 ? probeNs : observeNs;
  }

  /** A probe has ended; called by whoever carried it out. */
  void onEnd(Attempt attempt) {
    ended.add(attempt);
    wake.run();
  }

  private void onEnd(Attempt attempt, long nowNs) {
    MonitorRun run = attempt.run();
    if (run.onEnd(attempt, nowNs, prober, this)) {
      enqueue(run); // first, so that nothing that fails here ends the monitor
      ProbeResult result = attempt.result();
      if (result.ok() && result.elapsedNs() >= 0 && run.watch().isFirst(run)) {
        servers.responded(run.watch().service(), run.watch().identity(), result.elapsedNs(), nowNs);
      }
      judge(run.watch());
    }
  }

  private void onTime(MonitorRun run, long nowNs) {
    boolean judged = run.onTime(nowNs, prober, this);
    enqueue(run);
    if (judged) {
      judge(run.watch());
    }
  }

  private void enqueue(MonitorRun run) {
    due.add(new Due(run.dueNs(), run, run.newEntry()));
  }

  private void judge(ServerWatch watch) {
    if (watch.judge()) {
      reports.add(watch.report());
    }
  }

  /** A probe is under way. */
  void onBegin() {
    begun++;
  }

  /** No thread, or no room for frames, was free: that says nothing about the server, so the probe waits. */
  void onPostponed() {
    postponed++;
    if (Long.bitCount(postponed) == 1) {
      LOG.warn("a probe waits, so many are under way ({} times so far): use more threads or longer intervals", postponed);
    }
  }

  /** Nothing was left here to make a probe with: it is made again with the next interval. */
  void onNotMade(String missing) {
    notMade++;
    if (Long.bitCount(notMade) == 1) {
      LOG.warn("a probe could not be made ({} times so far), so servers keep their health: {}", notMade, missing);
    }
  }

  /**
   * How many probes were begun.
   *
   * @return a count
   */
  public long begun() {
    return begun;
  }

  /**
   * How often a probe had to wait because too many were under way.
   *
   * @return a count
   */
  public long postponed() {
    return postponed;
  }

  // ---- declarations --------------------------------------------------------------------------------------------

  private void adopt(List<VirtualService> services, long nowNs) {
    Map<Key, ServerWatch> before = watches;
    watches = new LinkedHashMap<>();
    for (VirtualService service : services) {
      for (RealServer server : service.servers()) {
        Key key = new Key(service.name(), server.identity());
        Monitors monitors = service.monitors(server);
        ServerWatch watch = before.remove(key);
        if (!monitors.list().isEmpty()) {
          watch = watch == null ? new ServerWatch(service, server) : watch;
          watches.put(key, watch);
          adopt(watch, service, server, monitors, nowNs);
        } else if (watch != null) {
          watch.stop();
          reports.add(watch.farewell());
        }
      }
    }
    before.values().forEach(ServerWatch::stop);
    observations.adopt(services, nowNs);
  }

  /** Says the verdict again: the server may have been removed and added meanwhile, which forgot it. */
  private void adopt(
      ServerWatch watch, VirtualService service, RealServer server, Monitors monitors, long nowNs) {
    boolean offline = server.activity() == Activity.OFFLINE;
    watch.adopt(service, server, offline ? Monitors.NONE : monitors, random, nowNs).forEach(this::enqueue);
    watch.judge();
    if (watch.verdict() != Health.UNKNOWN) {
      reports.add(watch.report());
    }
  }

  /**
   * Ends all probes and their threads.
   *
   * @return false when the calling thread was interrupted meanwhile
   */
  public synchronized boolean end() {
    over = true;
    watches.values().forEach(ServerWatch::stop);
    watches.clear();
    due.clear();
    return threads.end();
  }

}

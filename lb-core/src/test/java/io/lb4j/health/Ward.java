package io.lb4j.health;

import io.lb4j.address.IpAddress;
import io.lb4j.counters.HandshakeCounts;
import io.lb4j.monitor.FrameProber;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.service.Health;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** An engine, a clock that the test turns, and servers that answer when the test says so. */
final class Ward implements WatchedServers, FrameProber {
  static final long MILLI_NS = 1_000_000;

  /** A frame that was asked for. */
  record Ask(long atNs, IpAddress vip, int port, boolean tcp, IpAddress server, Consumer<ProbeResult> done) {}

  final List<Ask> asks = new ArrayList<>();
  final List<String> told = new ArrayList<>();
  final List<String> times = new ArrayList<>();
  final Map<String, Health> health = new HashMap<>();
  final Map<String, Double> shares = new HashMap<>();
  final Map<String, HandshakeCounts> handshakes = new HashMap<>();
  final AtomicInteger wakes = new AtomicInteger();
  final HealthEngine engine;
  boolean broken;
  long nowNs = 77_000_000_000L;
  private List<VirtualService> services = List.of();
  private long declarations;
  private long deadlineNs = nowNs;

  Ward(ProbeThreads threads, long seed) {
    engine = new HealthEngine(this, this, threads, seed, wakes::incrementAndGet);
  }

  void declare(VirtualService... declared) {
    services = List.of(declared);
    declarations++;
    tick();
  }

  void tick() {
    deadlineNs = engine.tick(nowNs);
  }

  /** Lets time pass, with a tick whenever the engine has asked for one. */
  void pass(long millis) {
    long end = nowNs + millis * MILLI_NS;
    while (deadlineNs - end <= 0) {
      nowNs = Math.max(nowNs, deadlineNs);
      tick();
    }
    nowNs = end;
  }

  /** Ends all that is in flight, and lets the engine hear of it. */
  void answer(ProbeResult result) {
    List<Ask> now = List.copyOf(asks);
    asks.clear();
    now.forEach(ask -> ask.done.accept(result));
    tick();
  }

  /** Lets time pass until so many probes were begun, and not a moment longer. */
  void begin(long probes) {
    while (engine.begun() < probes) {
      nowNs = Math.max(nowNs, deadlineNs);
      tick();
    }
  }

  /** Lets time pass until something is asked. */
  void await() {
    for (int n = 0; n < 100_000 && asks.isEmpty(); n++) {
      pass(1);
    }
  }

  /** Waits for the next probe and answers it. */
  void probe(ProbeResult result) {
    await();
    answer(result);
  }

  static ProbeResult ok() {
    return ProbeResult.answered(MILLI_NS);
  }

  static ProbeResult bad() {
    return ProbeResult.failed(ProbeReason.TIMED_OUT, "nothing came");
  }

  void probe(String results) {
    for (char result : results.toCharArray()) {
      probe(result == '+' ? ok() : bad());
    }
  }

  List<String> takeTold() {
    List<String> taken = List.copyOf(told);
    told.clear();
    return taken;
  }

  @Override
  public void ping(IpAddress server, Duration timeout, Consumer<ProbeResult> done) {
    if (broken) {
      throw new IllegalStateException("broken");
    }
    asks.add(new Ask(nowNs, server, 0, false, server, done));
  }

  @Override
  public void direct(
      IpAddress vip, int port, boolean tcp, IpAddress server, Duration timeout, Consumer<ProbeResult> done) {
    asks.add(new Ask(nowNs, vip, port, tcp, server, done));
  }

  @Override
  public long declarations() {
    return declarations;
  }

  @Override
  public List<VirtualService> services() {
    return services;
  }

  @Override
  public double share(String service, RealServer server, long at) {
    boolean isUsed =
        server.takesNewFlows() && health.getOrDefault(server.identity(), Health.UNKNOWN).serves();
    return isUsed ? shares.getOrDefault(server.identity(), 1.0) : 0;
  }

  @Override
  public HandshakeCounts handshakes(String service, RealServer server) {
    return handshakes.getOrDefault(server.identity(), HandshakeCounts.ZERO);
  }

  @Override
  public void report(List<HealthReport> reports) {
    for (HealthReport report : reports) {
      health.put(report.identity(), report.health());
      String detail = report.detail().isEmpty() ? "" : ", " + report.detail();
      told.add(report.service() + " " + report.identity() + " " + report.health() + " " + report.reason() + detail);
    }
  }

  @Override
  public void responded(String service, String identity, long elapsedNs, long at) {
    times.add(service + " " + identity + " " + elapsedNs);
  }
}

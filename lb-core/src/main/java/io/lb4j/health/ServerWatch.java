package io.lb4j.health;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Monitors.Require;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeTarget;
import io.lb4j.service.Health;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Predicate;

/**
 * All monitors of one server, and what they say together. Outlives every change that leaves service and identity as
 * they are. Owned by the control thread.
 */
final class ServerWatch {
  private static final int MOST_VIPS = 64;

  private VirtualService service;
  private RealServer server;
  private List<MonitorRun> runs = List.of();
  private Require require = Require.ALL;
  private Health verdict = Health.UNKNOWN;
  private String reason = "";
  private String detail = "";

  ServerWatch(VirtualService service, RealServer server) {
    this.service = service;
    this.server = server;
  }

  /** Takes over a declaration; answers the runs that are new. Monitors that stay go on counting. */
  List<MonitorRun> adopt(
      VirtualService newService, RealServer newServer, Monitors monitors, SplittableRandom random, long nowNs) {
    service = newService;
    server = newServer;
    require = monitors.require();
    List<MonitorRun> now = new ArrayList<>();
    List<MonitorRun> added = new ArrayList<>();
    for (Monitor monitor : monitors.list()) {
      int port = service.monitoredPort(monitor, server);
      Optional<MonitorRun> same =
          runs.stream().filter(run -> run.monitor().equals(monitor) && run.port() == port).findFirst();
      MonitorRun run = same.orElseGet(() -> new MonitorRun(this, monitor, port, verdict, random, nowNs));
      now.add(run);
      if (same.isEmpty()) {
        added.add(run);
      }
    }
    runs.stream().filter(run -> !now.contains(run)).forEach(MonitorRun::stop);
    runs = now;
    return added;
  }

  /** Probes no more; the verdict stays. */
  void stop() {
    runs.forEach(MonitorRun::stop);
    runs = List.of();
  }

  String service() {
    return service.name();
  }

  String identity() {
    return server.identity();
  }

  ProbeTarget target(int port, Duration timeout) {
    return new ProbeTarget(service.name(), server.name(), server.address(), port, timeout);
  }

  boolean isTcp() {
    return service.protocol() == Protocol.TCP;
  }

  /** An address of each of the service's prefixes; of a whole network the first that a host may have. */
  List<IpAddress> vips() {
    return service.vips().stream().limit(MOST_VIPS).map(ServerWatch::first).toList();
  }

  private static IpAddress first(IpPrefix vip) {
    IpAddress address = vip.address();
    boolean network = vip.length() < (address.isV6() ? 127 : 31);
    return network ? IpAddress.of(address.isV6(), address.high(), address.low() + 1) : address;
  }

  Health verdict() {
    return verdict;
  }

  /** Whether a run's times are those that tell how fast the server is. */
  boolean isFirst(MonitorRun run) {
    return !runs.isEmpty() && runs.get(0) == run;
  }

  /** Judges anew; answers whether the verdict is another. */
  boolean judge() {
    Health before = verdict;
    boolean all = require == Require.ALL;
    if (is(Health.DOWN, all)) {
      verdict = Health.DOWN;
    } else if (is(Health.UP, !all)) {
      verdict = Health.UP;
    } // else: who has not spoken yet changes nothing
    if (verdict != before) {
      Optional<MonitorRun> bad = runs.stream().filter(run -> run.health() == Health.DOWN).findFirst();
      boolean down = verdict == Health.DOWN && bad.isPresent();
      reason = down ? bad.get().reason() : ProbeReason.ANSWERED.code();
      detail = down ? bad.get().detail() : "";
    }
    return verdict != before;
  }

  private boolean is(Health health, boolean oneIsEnough) {
    Predicate<MonitorRun> says = run -> run.health() == health;
    return oneIsEnough ? runs.stream().anyMatch(says) : !runs.isEmpty() && runs.stream().allMatch(says);
  }

  HealthReport report() {
    return report(verdict, reason, detail);
  }

  /** Says that nobody watches the server any more. */
  HealthReport farewell() {
    return report(Health.UNKNOWN, "unmonitored", "");
  }

  private HealthReport report(Health health, String why, String words) {
    return new HealthReport(service.name(), server.identity(), HealthReport.Source.MONITORS, health, why, words);
  }
}

package io.lb4j.health;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.monitor.Observation;
import io.lb4j.service.Health;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Watches the servers of one service by the clients' handshakes, and takes out of use for a while who answers none
 * while its fellows answer theirs. Owned by the control thread.
 *
 * <p>Failures alone prove nothing: who sends SYNs from forged addresses makes as many of them as he likes, for a server
 * that is well. What he cannot do is to keep real clients of that server from being answered, nor those of its fellows.
 * So the failures only raise the question, and it is answered by what real clients got: the fellows' answers, shared
 * out by weight, say how many this server ought to have given. If it should have given {@code minimum} and gave none,
 * chance explains that in e<sup>-minimum</sup> of all cases, one in 22,000 for 10. If the fellows give none either, for
 * example because a flood fills everything, the way back is broken, or no real client is there, nothing is concluded,
 * and so the last server that answers is never taken out. With Direct Server Return an answer is inferred from the
 * client's next segment, so he who can guess may forge answers too: of the server, which protects it, or of its
 * fellows, which takes a segment that fits each forged SYN, in a service that has no real clients at the time. What
 * that gains him is a server without clients taken out for 5 s, and the watermark bounds even that.
 */
final class ServiceObservation {
  private final VirtualService service;
  private final Observation settings;
  private final WatchedServers all;
  private final List<HealthReport> reports;
  private final Map<String, ServerObservation> servers = new LinkedHashMap<>();
  private final long sliceNs;
  private long slice;
  private long nextNs;

  /** Observes a service as it is declared; what an earlier declaration's observation has found stays. */
  ServiceObservation(
      VirtualService service, ServiceObservation before, WatchedServers all, List<HealthReport> reports, long nowNs) {
    this.service = service;
    this.settings = service.observation().orElseThrow();
    this.all = all;
    this.reports = reports;
    this.sliceNs = settings.window().toNanos() / ServerObservation.SLICES;
    boolean continues = before != null && before.settings.equals(settings);
    this.slice = continues ? before.slice : 0;
    this.nextNs = continues ? before.nextNs : nowNs;
    for (RealServer server : service.servers()) {
      ServerObservation known = continues ? before.servers.remove(server.identity()) : null;
      servers.put(server.identity(), known == null ? new ServerObservation() : known);
    }
    if (before != null) {
      before.end();
    }
  }

  /** Takes back what it has said. */
  void end() {
    servers.forEach(
        (identity, server) -> {
          if (server.isInhibited()) {
            report(identity, Health.UNKNOWN, "unobserved", "");
          }
        });
    servers.clear();
  }

  /** Looks at what was counted; answers when to call again. */
  long tick(long nowNs) {
    if (nextNs - nowNs > 0) {
      return nextNs;
    }
    nextNs = nowNs + sliceNs;
    slice++;
    for (RealServer server : service.servers()) {
      double share = all.share(service.name(), server, nowNs);
      of(server).sample(slice, all.handshakes(service.name(), server), server.weight(), share);
    }
    service.servers().forEach(server -> look(server, nowNs));
    return nextNs;
  }

  private ServerObservation of(RealServer server) {
    return servers.get(server.identity());
  }

  private void look(RealServer server, long nowNs) {
    ServerObservation seen = of(server);
    if (seen.isInhibited()) {
      if (seen.isOver(nowNs) || !server.takesNewFlows()) {
        seen.release(nowNs);
        report(server.identity(), Health.UNKNOWN, "tried-again", "");
      }
    } else if (!seen.isInUse()) {
      seen.forget();
    } else {
      seen.forgive(settings, nowNs);
      judge(server, seen, nowNs);
    }
  }

  private void judge(RealServer server, ServerObservation seen, long nowNs) {
    HandshakeCounts own = seen.since(seen.first());
    long failed = own.silent() + own.refused();
    if (failed < settings.minimum()) {
      return;
    }
    double expected = expected(server, seen.first());
    if (expected >= settings.minimum() && own.answered() <= (1 - settings.ratio()) * expected) {
      seen.inhibit(settings, nowNs);
      report(
          server.identity(),
          Health.DOWN,
          "no-handshakes",
          failed + " attempts failed, " + own.answered() + " of about " + Math.round(expected) + " were answered");
    }
  }

  /**
   * How many handshakes a server should have answered, by what its fellows did since a slice. Theirs is the whole weight,
   * in slow start too: a client that persistence brings back to one of them must not count for a hundred.
   */
  private double expected(RealServer server, long since) {
    long answered = 0;
    double weight = 0;
    for (RealServer fellow : service.servers()) {
      ServerObservation seen = of(fellow);
      if (!fellow.equals(server) && !seen.isInhibited() && seen.isInUse()) {
        long own = seen.since(since).answered();
        answered += own;
        weight += own > 0 ? seen.weight(since) : 0;
      }
    }
    return weight == 0 ? 0 : answered * of(server).part() / weight;
  }

  private void report(String identity, Health health, String reason, String detail) {
    reports.add(
        new HealthReport(service.name(), identity, HealthReport.Source.OBSERVATION, health, reason, detail));
  }
}

package io.lb4j.dataplane;

import io.lb4j.flow.FlowTable;
import io.lb4j.forward.Translator;

/**
 * The rounds in which flows and sessions are looked at, a few with each burst: how many are due, and which snapshot all
 * of them have been looked at under. Owned by one worker; {@link #generation} is safe from any thread.
 */
final class Sweeps {
  /** A round of the flow table's sweep takes a second per so many buckets, one second at least. */
  private static final long BUCKETS_PER_SECOND = 500_000;

  private static final long SECOND_NS = 1_000_000_000L;
  private static final int REFRESHES_PER_TIMEOUT = 4;

  /** Buckets that are visited at most when there is time. */
  static final int STEP = 1024;

  private final FlowTable flows;
  private final FlowAccounting accounting;
  private ForwardingTable table;
  private long lastNs;
  private long bucketNs; // from one bucket to the next
  private long rounds;
  private long refreshEveryRounds = 1;
  private boolean refreshing;
  private long roundGeneration;
  private volatile long flowsGeneration;
  private long sessionRounds;
  private long sessionRoundGeneration;
  private volatile long sessionsGeneration;

  Sweeps(FlowTable flows, FlowAccounting accounting, long nowNs) {
    this.flows = flows;
    this.accounting = accounting;
    this.lastNs = nowNs;
  }

  /** Takes over a snapshot, under which rounds begin from now on. */
  void adopt(ForwardingTable newTable) {
    table = newTable;
    refreshEveryRounds = refreshRounds();
    bucketNs = roundNs() / flows.buckets();
  }

  /** Persistence is refreshed several times per time-out at least; the shortest time-out decides. */
  private long refreshRounds() {
    long shortestNs =
        table.services().stream()
            .flatMap(service -> service.clients().stream())
            .mapToLong(clients -> clients.settings().timeout().toNanos())
            .min()
            .orElse(Long.MAX_VALUE);
    return Math.max(1, shortestNs / REFRESHES_PER_TIMEOUT / roundNs());
  }

  private long roundNs() {
    return Math.max(1, flows.buckets() / BUCKETS_PER_SECOND) * SECOND_NS;
  }

  /** Visits as many of the flows' buckets as the time since the last visit asks for, {@code most} of them. */
  void visitFlows(long nowNs, int most) {
    long elapsed = nowNs - lastNs;
    if (elapsed < bucketNs) {
      return; // the usual case, without a division
    }
    int buckets = flows.buckets();
    long roundNs = roundNs();
    long due = elapsed >= roundNs ? buckets : elapsed * buckets / roundNs;
    if (due <= 0) {
      return;
    }
    int budget = (int) Math.min(due, most);
    lastNs = due > most ? nowNs - Math.min(roundNs, (due - budget) * roundNs / buckets) : nowNs;
    accounting.at(nowNs, refreshing);
    if (flows.sweep(nowNs, budget)) {
      rounds++;
      refreshing = rounds % refreshEveryRounds == 0;
      flowsGeneration = roundGeneration;
      roundGeneration = table.generation();
    }
  }

  /** When {@link #visitFlows} is to be called again at the latest. */
  long nextNs(long nowNs) {
    if (flows.size() == 0) {
      return nowNs + SECOND_NS;
    }
    long step = Math.min(STEP, flows.buckets());
    return lastNs + Math.max(SECOND_NS / 1000, step * roundNs() / flows.buckets());
  }

  /** Lets the translator visit sessions; answers when to call again at the latest. */
  long visitSessions(Translator translator, long nowNs, int budget) {
    long deadline = translator.tick(nowNs, budget);
    if (translator.rounds() != sessionRounds) {
      sessionRounds = translator.rounds();
      sessionsGeneration = sessionRoundGeneration;
      sessionRoundGeneration = table.generation();
    }
    return deadline;
  }

  /** The youngest snapshot under which every flow, and every session where there are any, has been looked at. */
  long generation(boolean translates) {
    return translates ? Math.min(flowsGeneration, sessionsGeneration) : flowsGeneration;
  }
}

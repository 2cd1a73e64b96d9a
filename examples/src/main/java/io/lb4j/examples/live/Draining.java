package io.lb4j.examples.live;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.service.Activity;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;

/** Lets the flows of a balancer end, and begins no new ones, before it stops. Owned by one thread. */
final class Draining {
  /** How often to ask whether it is over. */
  static final long CHECK_NS = 100_000_000;

  private final LoadBalancer balancer;
  private final long deadlineNs;

  /**
   * Begins to wait.
   *
   * @param balancer whose services were replaced by {@link #drained} ones
   * @param deadlineNs when it is over though flows live
   */
  Draining(LoadBalancer balancer, long deadlineNs) {
    this.balancer = balancer;
    this.deadlineNs = deadlineNs;
  }

  /** The service without new flows; clients that persistence knows are no exception. */
  static VirtualService drained(VirtualService service) {
    VirtualService result = service.toBuilder().drain(DrainBehavior.MIGRATE_VISITORS).build();
    for (RealServer server : service.servers()) {
      if (server.activity() != Activity.OFFLINE) {
        result = result.withServer(server.name(), declared -> declared.withActivity(Activity.DRAIN));
      }
    }
    return result;
  }

  boolean isOver(long nowNs) {
    Statistics.FlowTableStatistics flows = balancer.statistics().flowTable();
    return flows.size() + flows.sessions() == 0 || deadlineNs - nowNs <= 0;
  }
}

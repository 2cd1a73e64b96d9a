package io.lb4j.health;

import io.lb4j.service.VirtualService;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The services whose servers are watched by clients' connections. Owned by the control thread. */
final class ServiceObservations {
  private static final long SECOND_NS = 1_000_000_000L;

  private final WatchedServers servers;
  private final List<HealthReport> reports;
  private Map<String, ServiceObservation> services = new HashMap<>();

  ServiceObservations(WatchedServers servers, List<HealthReport> reports) {
    this.servers = servers;
    this.reports = reports;
  }

  void adopt(List<VirtualService> declared, long nowNs) {
    Map<String, ServiceObservation> before = services;
    services = new HashMap<>();
    for (VirtualService service : declared) {
      if (service.observation().isPresent()) {
        ServiceObservation known = before.remove(service.name());
        services.put(service.name(), new ServiceObservation(service, known, servers, reports, nowNs));
      }
    }
    before.values().forEach(ServiceObservation::end);
  }

  long tick(long nowNs) {
    long deadlineNs = nowNs + SECOND_NS;
    for (ServiceObservation service : services.values()) {
      long next = service.tick(nowNs);
      deadlineNs = next - deadlineNs < 0 ? next : deadlineNs;
    }
    return deadlineNs;
  }
}

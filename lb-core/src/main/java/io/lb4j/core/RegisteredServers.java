package io.lb4j.core;

import io.lb4j.control.ServiceRegistry;
import io.lb4j.counters.HandshakeCounts;
import io.lb4j.dataplane.DataPath;
import io.lb4j.health.HealthReport;
import io.lb4j.health.WatchedServers;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.List;
import java.util.function.Consumer;

/** The servers of a balancer as the health engine sees them. Safe from any thread. */
final class RegisteredServers implements WatchedServers {
  private final ServiceRegistry registry;
  private final List<DataPath> dataPaths;
  private final Consumer<List<HealthReport>> reports;

  RegisteredServers(ServiceRegistry registry, List<DataPath> dataPaths, Consumer<List<HealthReport>> reports) {
    this.registry = registry;
    this.dataPaths = dataPaths;
    this.reports = reports;
  }

  @Override
  public long declarations() {
    return registry.declarations();
  }

  @Override
  public List<VirtualService> services() {
    return registry.services();
  }

  @Override
  public double share(String service, RealServer server, long nowNs) {
    return registry.share(service, server, nowNs);
  }

  @Override
  public HandshakeCounts handshakes(String service, RealServer server) {
    return registry.findBinding(service, server).map(this::sum).orElse(HandshakeCounts.ZERO);
  }

  private HandshakeCounts sum(int binding) {
    HandshakeCounts sum = HandshakeCounts.ZERO;
    for (DataPath dataPath : dataPaths) {
      sum = sum.plus(dataPath.counters().handshakes(binding));
    }
    return sum;
  }

  @Override
  public void report(List<HealthReport> found) {
    reports.accept(found);
  }

  @Override
  public void responded(String service, String identity, long elapsedNs, long nowNs) {
    registry.responded(service, identity, elapsedNs, nowNs);
  }
}

package io.lb4j.core;

import io.lb4j.control.CountedService;
import io.lb4j.control.EventHub;
import io.lb4j.control.ServiceRegistry;
import io.lb4j.counters.LinkCounts;
import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.Verdict;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServerHealth;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Adds up what the workers, and receivers and transmitter where there are such, counted. Owned by the thread that asks.
 */
final class StatisticsReader {
  private final Topology topology;
  private final ServiceRegistry registry;
  private final List<DataPath> dataPaths;
  private final List<WorkerCounters> counters = new ArrayList<>();
  private final EventHub.Counts events;

  StatisticsReader(
      Topology topology,
      ServiceRegistry registry,
      List<DataPath> dataPaths,
      List<WorkerCounters> others,
      EventHub.Counts events) {
    this.topology = topology;
    this.registry = registry;
    this.dataPaths = dataPaths;
    this.events = events;
    dataPaths.forEach(dataPath -> counters.add(dataPath.counters()));
    counters.addAll(others);
  }

  Statistics read() {
    List<Statistics.InterfaceStatistics> interfaces = topology.links().stream().map(this::link).toList();
    Map<Verdict, Long> verdicts = new EnumMap<>(Verdict.class);
    LinkCounts sum = LinkCounts.ZERO;
    for (Statistics.InterfaceStatistics one : interfaces) {
      one.verdicts().forEach((verdict, count) -> verdicts.merge(verdict, count, Long::sum));
      sum = sum.plus(one.counts());
    }
    return new Statistics(
        sum.received(),
        held(),
        verdicts,
        sum.originated(),
        sum.transmitted(),
        sum.refused(),
        interfaces,
        registry.counted().stream().map(this::service).toList(),
        flowTable(),
        new Statistics.EventStatistics(events.told(), events.suppressed(), events.lost()));
  }

  private long held() {
    long waiting = dataPaths.stream().mapToLong(DataPath::held).sum();
    return waiting + counters.stream().mapToLong(WorkerCounters::handedOver).sum();
  }

  private Statistics.InterfaceStatistics link(Link link) {
    Map<Verdict, Long> verdicts = new EnumMap<>(Verdict.class);
    LinkCounts sum = LinkCounts.ZERO;
    for (WorkerCounters one : counters) {
      sum = sum.plus(one.link(link.index()));
      for (Verdict verdict : Verdict.values()) {
        long count = one.verdicts(link.index(), verdict);
        if (count != 0) {
          verdicts.merge(verdict, count, Long::sum);
        }
      }
    }
    return new Statistics.InterfaceStatistics(link.name(), sum, verdicts);
  }

  private Statistics.ServiceStatistics service(CountedService service) {
    return new Statistics.ServiceStatistics(
        service.name(), service.servers().stream().map(server -> server(service, server)).toList());
  }

  private Statistics.ServerStatistics server(CountedService service, CountedService.Server counted) {
    RealServer server = counted.server();
    ServerHealth health = registry.health(service.name(), server);
    return new Statistics.ServerStatistics(
        server.name(), server.address(), server.port(), server.weight(), server.activity(), health, counted.counts());
  }

  private Statistics.FlowTableStatistics flowTable() {
    long size = 0;
    long capacity = 0;
    long embryonic = 0;
    long evictions = 0;
    long memory = 0;
    long sessions = 0;
    for (DataPath dataPath : dataPaths) {
      size += dataPath.flows().size();
      capacity += dataPath.flows().capacity();
      embryonic += dataPath.flows().embryonic();
      evictions += dataPath.evictions();
      memory += dataPath.flows().memoryBytes();
      sessions += dataPath.sessions();
    }
    return new Statistics.FlowTableStatistics(size, capacity, embryonic, evictions, memory, sessions);
  }
}

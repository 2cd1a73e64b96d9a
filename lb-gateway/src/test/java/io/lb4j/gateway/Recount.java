package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.service.Activity;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.FlowPage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** Compares everything that is counted of flows with the flows themselves, while the workers rest. */
final class Recount {
  private final LoadBalancer balancer;
  private final List<FlowEntry> flows;
  private final ForwardingTable table;

  Recount(LoadBalancer balancer) {
    this.balancer = balancer;
    this.flows = flows(balancer);
    this.table = published(balancer);
  }

  static List<FlowEntry> flows(LoadBalancer balancer) {
    List<FlowEntry> all = new ArrayList<>();
    long position = 0;
    while (position >= 0) {
      FlowPage page = balancer.flows(FlowFilter.all(), position, 10_000);
      all.addAll(page.flows());
      position = page.next();
    }
    return all;
  }

  /** Limits are nobody's business but the data path's; a test may look. */
  private static ForwardingTable published(LoadBalancer balancer) {
    try {
      var field = LoadBalancer.class.getDeclaredField("published");
      field.setAccessible(true);
      return (ForwardingTable) ((AtomicReference<?>) field.get(balancer)).get();
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private long flows(String service, String server) {
    return flows.stream().filter(flow -> service.equals(flow.service()) && server.equals(flow.server())).count();
  }

  private long active(String service, String server) {
    return flows.stream()
        .filter(flow -> service.equals(flow.service()) && server.equals(flow.server()))
        .filter(flow -> !flow.state().isClosing())
        .count();
  }

  /** Statistics, the counters that schedulers ask, and the counts of limits. */
  void assertEqualsCounts(String when) {
    for (Statistics.ServiceStatistics service : balancer.statistics().services()) {
      VirtualService declared = balancer.service(service.name()).declaration();
      long online = 0;
      for (Statistics.ServerStatistics server : service.servers()) {
        String whose = when + ": " + service.name() + "/" + server.name();
        long active = active(service.name(), server.name());
        assertThat(server.counts().flows()).as("flows, %s", whose).isEqualTo(flows(service.name(), server.name()));
        assertThat(server.counts().active()).as("active flows, %s", whose).isEqualTo(active);
        RealServer real = declared.server(server.name()).orElseThrow();
        online += real.activity() == Activity.STANDBY ? 0 : active;
        assertThat(counted(service.name(), server.name(), false))
            .as("places, %s", whose)
            .isEqualTo(real.limit().exists() ? active : -1);
      }
      assertThat(counted(service.name(), null, true))
          .as("places, %s: %s", when, service.name())
          .isEqualTo(declared.policies().limit().exists() && online(declared) ? online : -1);
    }
  }

  private static boolean online(VirtualService service) {
    return service.servers().stream().anyMatch(server -> server.activity() != Activity.STANDBY);
  }

  /** What the limit of a service, or of one of its servers, has counted; -1 without a limit. */
  private long counted(String service, String server, boolean ofService) {
    long counted = -1;
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      boolean meant =
          binding != null
              && binding.service().declaration().name().equals(service)
              && (server == null || binding.serverName().equals(server));
      if (meant) {
        var count = ofService ? binding.serviceCount() : binding.ownCount();
        counted = count.isPresent() ? count.get().count() : counted;
      }
    }
    return counted;
  }
}

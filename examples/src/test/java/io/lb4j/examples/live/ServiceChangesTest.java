package io.lb4j.examples.live;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The difference between files, applied to a balancer. */
class ServiceChangesTest {
  private static VirtualServiceBuilder service(String name, int port) {
    return VirtualService.tcp("192.0.2.10", port)
        .named(name)
        .forwarding(DirectServerReturn.create())
        .realServer("rs1", "192.0.2.21");
  }

  private static LoadBalancer balancer(VirtualService... services) {
    var builder =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.mac("02:00:00:00:00:01").address("192.0.2.5/24"))
            .flowTable(64);
    List.of(services).forEach(builder::service);
    return builder.build();
  }

  @Test
  void shouldApplyOnlyTheDifference() {
    List<ConfigurationException> refusals = new ArrayList<>();
    try (LoadBalancer balancer =
        balancer(service("a", 80).build(), service("b", 81).build(), service("c", 82).build())) {
      List<VirtualService> after = List.of(
          service("a", 80).build(),
          service("b", 81).scheduler(Schedulers.roundRobin()).build(),
          service("d", 82).build());
      List<String> done = new ServiceChanges(balancer, balancer.services(), after).apply(refusals::add);
      assertEquals(List.of("removed c", "replaced b", "added d"), done);
      assertEquals(List.of("a", "b", "d"), balancer.services().stream().map(VirtualService::name).toList());
      assertEquals(List.of(), new ServiceChanges(balancer, balancer.services(), after).apply(refusals::add));
    }
    assertEquals(List.of(), refusals);
  }

  @Test
  void shouldReportARefusalAndGoOn() {
    List<ConfigurationException> refusals = new ArrayList<>();
    try (LoadBalancer balancer = balancer(service("a", 80).build())) {
      List<VirtualService> after =
          List.of(service("a", 80).build(), service("b", 80).build(), service("d", 82).build());
      List<String> done = new ServiceChanges(balancer, balancer.services(), after).apply(refusals::add);
      assertEquals(List.of("added d"), done);
      assertEquals(1, refusals.size());
    }
  }
}

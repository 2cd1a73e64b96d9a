package io.lb4j.examples.live;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Gateway;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
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
            .neighbor("192.0.2.21", "02:00:00:00:00:21")
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

  private static VirtualService translated(String source) {
    return VirtualService.tcp("192.0.2.10", 80)
        .named("a")
        .forwarding(Gateway.fullNat(source))
        .realServer("rs1", "192.0.2.21")
        .build();
  }

  @Test
  void shouldSeeWhatChangedOfTheMethod() {
    List<ConfigurationException> refusals = new ArrayList<>();
    try (LoadBalancer balancer = balancer(translated("192.0.2.9"))) {
      List<VirtualService> after = List.of(translated("192.0.2.8"));
      assertEquals(
          List.of(), new ServiceChanges(balancer, balancer.services(), balancer.services()).apply(refusals::add));
      assertEquals(
          List.of("replaced a"), new ServiceChanges(balancer, balancer.services(), after).apply(refusals::add));
    }
    assertEquals(List.of(), refusals);
  }

  /** Nothing was translated when the balancer began. */
  @Test
  void shouldTranslateForAServiceThatBecameTranslated() {
    List<ConfigurationException> refusals = new ArrayList<>();
    try (LoadBalancer balancer = balancer(service("a", 80).build())) {
      new ServiceChanges(balancer, balancer.services(), List.of(translated("192.0.2.9"))).apply(refusals::add);
      ByteBuf frame = FrameBuilder.from("192.0.2.77", "192.0.2.10").macs("02:00:00:00:00:01", "02:00:00:00:00:77")
          .tcp(40_000, 80, TcpHeader.SYN).build();
      Verdict verdict =
          balancer.dataPath().process(0, frame, System.nanoTime(), (index, sent, marks) -> sent.release());
      frame.release();
      assertEquals(Verdict.FORWARD, verdict);
      balancer.removeService("a");
    }
    assertEquals(List.of(), refusals);
  }
}

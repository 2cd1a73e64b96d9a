package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.event.Event;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortTraits;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.Overflow;
import io.lb4j.service.Plan;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import io.lb4j.settings.Severity;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a program hears of the linter: findings of builder, balancer and plan, and an event for each new warning. */
class FindingsTest {
  private static final String MAC = "02:00:00:00:00:05";

  /** The gateway with another translator. Immutable, shared. */
  private record Retranslated(TranslatorProvider translation) implements TranslatedForwarding {
    @Override
    public String name() {
      return "retranslated";
    }

    @Override
    public List<IpPrefix> addresses() {
      return List.of();
    }

    @Override
    public void check(VirtualService service, Topology topology) {}

    @Override
    public IpAddress nextHop(RealServer server, Topology topology) {
      return server.address();
    }

    @Override
    public FlowTimeouts timeouts() {
      return Gateway.TWO_DIRECTIONS;
    }
  }

  private final List<Event.DoubtfulSetting> told = new ArrayList<>();
  private long now;

  private LoadBalancerBuilder builder(boolean v6) {
    String outside = v6 ? "2001:db8:c::5/64" : "198.51.100.5/24";
    String inside = v6 ? "2001:db8:5::5/64" : "192.0.2.5/24";
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.mac("02:00:00:00:00:04").address(outside))
        .networkInterface("eth1", i -> i.mac(MAC).address(inside))
        .route(v6 ? "::/0" : "0.0.0.0/0", v6 ? "2001:db8:c::1" : "198.51.100.1")
        .outbound(Outbound.builder().route(v6 ? "2001:db8:5::/64" : "192.0.2.0/24").build())
        .flowTable(1024)
        .clock(() -> now)
        .listener(event -> {
          if (event instanceof Event.DoubtfulSetting doubt) {
            told.add(doubt);
          }
        });
  }

  private static VirtualServiceBuilder web(boolean v6) {
    return VirtualService.tcp(v6 ? "2001:db8:c::100" : "198.51.100.100", 80)
        .named("web")
        .forwarding(Gateway.create())
        .realServer("s1", v6 ? "2001:db8:5::11" : "192.0.2.11");
  }

  private void tick(LoadBalancer balancer) {
    now += 10_000_000_000L;
    balancer.tickControl(now);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTellOfAWarningOnceWhenItComes(boolean v6) {
    VirtualServiceBuilder limited = web(v6).maxConnections(ConnectionLimit.of(1025), Overflow.DROP);
    try (LoadBalancer balancer = builder(v6).service(limited).build()) {
      assertThat(balancer.findings())
          .extracting(Finding::rule)
          .containsExactly(ConfigurationWarning.TABLE_BELOW_LIMITS);
      tick(balancer);
      assertThat(told).extracting(Event.DoubtfulSetting::code).containsExactly("table-below-limits");
      assertThat(told.get(0).setting()).isEqualTo("service web: max-connections");
      assertThat(told.get(0).text()).contains("1024 flows").contains("1025").endsWith("[table-below-limits]");
      balancer.service("web").realServer("s1").weight(0);
      tick(balancer);
      assertThat(told)
          .extracting(Event.DoubtfulSetting::code)
          .containsExactly("table-below-limits", "all-weights-zero");
      balancer.service("web").realServer("s1").weight(1);
      tick(balancer);
      assertThat(told).hasSize(2);
      balancer.service("web").realServer("s1").weight(0);
      tick(balancer);
      assertThat(told).as("it had gone, and is news again").hasSize(3);
      assertThat(balancer.statistics().holds()).isTrue();
    }
  }

  @Test
  void shouldTellNobodyOfInformation() {
    try (LoadBalancer balancer = builder(false).service(web(false)).build()) {
      balancer.service("web").realServer("s1").drain();
      assertThat(balancer.findings())
          .extracting(Finding::severity, Finding::code)
          .containsExactly(tuple(Severity.INFORMATION, "no-server-takes-flows"));
      tick(balancer);
      assertThat(told).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForetellWhatAPlanWouldBeWarnedOf(boolean v6) {
    try (LoadBalancer balancer = builder(v6).service(web(v6)).build()) {
      VirtualService next =
          web(v6).build().withServer("s1", server -> server.withActivity(Activity.STANDBY));
      Plan plan = balancer.plan(List.of(next));
      assertThat(plan.isApplicable()).isTrue();
      assertThat(plan.warnings()).extracting(Finding::code).containsExactly("only-standby-servers");
      assertThat(balancer.findings()).as("not done yet").isEmpty();
      balancer.apply(plan);
      assertThat(balancer.findings()).isEqualTo(plan.warnings());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindEverythingWithoutBuilding(boolean v6) {
    String neighbor = v6 ? "2001:db8:c::11" : "198.51.100.11";
    LoadBalancerBuilder builder =
        builder(v6)
            .service(web(v6).realServer("s2", neighbor).maxConnections(ConnectionLimit.of(1025), Overflow.DROP))
            .service(web(v6).named("other"));
    List<Finding> findings = builder.findings();
    assertThat(findings).extracting(Finding::code).contains("same-subnet", "services-overlap", "table-below-limits");
    assertThat(findings).extracting(Finding::severity).isSorted();
    assertThatThrownBy(builder::build).isInstanceOf(ConfigurationException.class);
  }

  @Test
  void shouldFindATopologyThatCannotBe() {
    assertThat(builder(false).route("203.0.113.0/24", "198.51.100.5").findings())
        .extracting(Finding::rule)
        .containsExactly(ConfigurationError.ROUTE_TO_ITSELF);
  }

  @Test
  void shouldWarnOfAnMtuThatTheDeviceDoesNotHave() {
    List<InterfaceAddress> own = List.of(InterfaceAddress.of("192.0.2.5/24"));
    PortTraits traits = new PortTraits(MacAddress.of(MAC), 1500, own, false, false, false);
    for (int mtu : List.of(1500, 1501)) {
      MemoryPort port = new MemoryPort("eth2", traits, 1, 16);
      try (LoadBalancer balancer =
          LoadBalancer.builder().networkInterface("eth2", i -> i.port(port).mtu(mtu)).build()) {
        assertThat(balancer.findings().stream().anyMatch(f -> f.rule() == ConfigurationWarning.MTU_ABOVE_DEVICE))
            .isEqualTo(mtu > 1500);
      }
    }
  }

  @Test
  void shouldRefuseAMethodThatNothingImplements() {
    ForwardingMethod wish = () -> "tunnel";
    assertThat(builder(false).service(web(false).forwarding(wish)).findings())
        .extracting(Finding::rule)
        .contains(ConfigurationError.NO_FORWARDER);
  }

  @Test
  void shouldRefuseServicesThatNeedDifferentTranslators() {
    TranslatorProvider other = Outbound.builder().inboundRefresh(true).build();
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.mac(MAC).address("198.51.100.5/24", "192.0.2.5/24"))
            .service(web(false))
            .service(
                VirtualService.tcp("198.51.100.101", 80)
                    .named("own")
                    .realServer("s1", "192.0.2.12")
                    .forwarding(new Retranslated(other)));
    assertThat(builder.findings()).extracting(Finding::rule).contains(ConfigurationError.TRANSLATORS_DIFFER);
  }
}

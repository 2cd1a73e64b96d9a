package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.monitor.Monitor;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatewayTest {
  private static LoadBalancerBuilder balancer(String outside, String inside, String vip, String server) {
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.mac("02:00:00:00:00:04").address(outside))
        .networkInterface("eth1", i -> i.mac("02:00:00:00:00:05").address(inside))
        .service(
            VirtualService.tcp(vip, 80).named("web").forwarding(Gateway.create()).realServer("s1", server));
  }

  @ParameterizedTest
  @CsvSource({
    "198.51.100.5/24, 192.0.2.5/24, 192.0.2.100, 192.0.2.11, 192.0.2.0/24",
    "2001:db8:c::5/64, 2001:db8:5::5/64, 2001:db8:5::100, 2001:db8:5::11, 2001:db8:5::/64"
  })
  void shouldNameBothPrefixesWhenVipAndServerShareASubnet(
      String outside, String inside, String vip, String server, String prefix) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> balancer(outside, inside, vip, server).build())
        .satisfies(e -> org.assertj.core.api.Assertions.assertThat(e.error()).isEqualTo(ConfigurationError.SAME_SUBNET))
        .withMessageContaining("subnet " + prefix + " and the virtual address's subnet " + prefix);
  }

  @Test
  void shouldRefuseToAskServersForAVirtualAddressThatTheyDoNotHold() {
    VirtualServiceBuilder web =
        VirtualService.tcp("198.51.100.100", 443).named("tls").forwarding(Gateway.create());
    LoadBalancerBuilder balancer = balancer("198.51.100.5/24", "192.0.2.5/24", "198.51.100.100", "192.0.2.11");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> balancer.service(web.monitor(Monitor.dsr().build())).build())
        .withMessageStartingWith("service tls: monitor: dsr: ")
        .withMessageContaining("[not-supported]");
  }

  @Test
  void shouldRefuseSoForOneServerToo() {
    VirtualServiceBuilder web =
        VirtualService.tcp("198.51.100.100", 443)
            .named("tls")
            .forwarding(Gateway.create())
            .realServer("s1", "192.0.2.11", s -> s.monitor(Monitor.dsr().build()));
    LoadBalancerBuilder balancer = balancer("198.51.100.5/24", "192.0.2.5/24", "198.51.100.100", "192.0.2.11");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> balancer.service(web).build())
        .withMessageStartingWith("service tls: server s1: monitor: dsr: ");
  }

  @Test
  void shouldRefuseAServerOnNoLink() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> balancer("198.51.100.5/24", "192.0.2.5/24", "198.51.100.100", "203.0.113.9").build())
        .withMessageContaining("203.0.113.9")
        .withMessageContaining("[server-not-on-link]");
  }
}

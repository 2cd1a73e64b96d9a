package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortWrapper;
import io.lb4j.port.SteeredPort;
import io.lb4j.port.SteeredPrefixes;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A port that leaves others' frames to the kernel is told which are the balancer's. */
class SteeredPortTest {
  private static final class Recording extends PortWrapper implements SteeredPort {
    private final List<SteeredPrefixes> told = new ArrayList<>();

    Recording(String name, String mac) {
      super(new MemoryPort(name, MacAddress.of(mac), 1, 64));
    }

    @Override
    public void steer(SteeredPrefixes prefixes) {
      told.add(prefixes);
    }
  }

  @Test
  void shouldTellPortsOfVirtualAddressesAndOfServersWhoseRepliesComeBack() {
    Recording outside = new Recording("eth0", "02:00:00:00:00:04");
    Recording inside = new Recording("eth1", "02:00:00:00:00:05");
    VirtualService web =
        VirtualService.tcp("203.0.113.100", 80)
            .named("web")
            .forwarding(Gateway.create())
            .realServer("s1", "192.0.2.11")
            .build();
    VirtualService direct =
        VirtualService.tcp("198.51.100.100", 80)
            .named("direct")
            .forwarding(DirectServerReturn.create())
            .realServer("d1", "198.51.100.11")
            .build();
    try (LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(outside).address("198.51.100.5/24"))
            .networkInterface("eth1", i -> i.port(inside).address("192.0.2.5/24"))
            .flowTable(64)
            .build()) {
      balancer.addService(web);
      assertThat(outside.told).as("not before the start").isEmpty();
      balancer.start();
      assertThat(last(outside).destinations())
          .containsExactlyInAnyOrder(IpPrefix.of("203.0.113.100/32"), IpPrefix.of("198.51.100.5/32"));
      assertThat(last(inside).destinations())
          .containsExactlyInAnyOrder(IpPrefix.of("203.0.113.100/32"), IpPrefix.of("192.0.2.5/32"));
      assertThat(last(inside).sources()).containsExactly(IpPrefix.of("192.0.2.11/32"));

      balancer.addService(direct);
      assertThat(last(outside).destinations()).contains(IpPrefix.of("198.51.100.100/32"));
      assertThat(last(outside).sources()).as("direct replies do not come back").doesNotContain(
          IpPrefix.of("198.51.100.11/32"));
    }
  }

  @Test
  void shouldTellPortsOfHostsThatAreReachedByTheirOwnAddresses() {
    Recording outside = new Recording("eth0", "02:00:00:00:00:04");
    Recording inside = new Recording("eth1", "02:00:00:00:00:05");
    try (LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(outside).address("198.51.100.5/24"))
            .networkInterface("eth1", i -> i.port(inside).address("192.0.2.5/24"))
            .outbound(Outbound.builder()
                .route("192.0.2.11/32")
                .nat("192.0.2.0/24", "198.51.100.200")
                .build())
            .flowTable(64)
            .build()) {
      balancer.start();
      assertThat(last(outside).routed()).containsExactly(IpPrefix.of("192.0.2.11/32"));
      assertThat(last(outside).destinations()).contains(IpPrefix.of("198.51.100.200/32"));
      assertThat(last(inside).sources())
          .containsExactlyInAnyOrder(IpPrefix.of("192.0.2.11/32"), IpPrefix.of("192.0.2.0/24"));
    }
  }

  private static SteeredPrefixes last(Recording port) {
    return port.told.get(port.told.size() - 1);
  }
}

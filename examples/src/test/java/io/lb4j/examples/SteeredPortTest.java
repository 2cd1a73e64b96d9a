package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import io.lb4j.port.SteeredPort;
import io.lb4j.port.SteeredPrefixes;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A port that leaves others' frames to the kernel is told which are the balancer's. */
class SteeredPortTest {
  private record Recording(MemoryPort port, List<SteeredPrefixes> told) implements SteeredPort {
    @Override
    public void steer(SteeredPrefixes prefixes) {
      told.add(prefixes);
    }

    @Override
    public String name() {
      return port.name();
    }

    @Override
    public PortTraits traits() {
      return port.traits();
    }

    @Override
    public int queues() {
      return port.queues();
    }

    @Override
    public PortQueue queue(int index) {
      return port.queue(index);
    }

    @Override
    public void join(MacAddress address) {
      port.join(address);
    }

    @Override
    public PortStatus status() {
      return port.status();
    }

    @Override
    public PortCounters counters() {
      return port.counters();
    }

    @Override
    public void close() {
      port.close();
    }
  }

  private static Recording port(String name, String mac) {
    return new Recording(new MemoryPort(name, MacAddress.of(mac), 1, 64), new ArrayList<>());
  }

  @Test
  void shouldTellPortsOfVirtualAddressesAndOfServersWhoseRepliesComeBack() {
    Recording outside = port("eth0", "02:00:00:00:00:04");
    Recording inside = port("eth1", "02:00:00:00:00:05");
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
      assertThat(outside.told()).as("not before the start").isEmpty();
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
    Recording outside = port("eth0", "02:00:00:00:00:04");
    Recording inside = port("eth1", "02:00:00:00:00:05");
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
    return port.told().get(port.told().size() - 1);
  }
}

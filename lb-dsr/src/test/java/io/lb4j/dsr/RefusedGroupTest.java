package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortException;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import io.lb4j.service.VirtualService;
import org.junit.jupiter.api.Test;

class RefusedGroupTest {
  /** A port whose device joins no group. */
  private record Deaf(MemoryPort port) implements Port {
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
      throw new PortException(PortException.Cause.NOT_SUPPORTED, "no groups");
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

  @Test
  void shouldTakeBackAServiceWhoseGroupTheDeviceRefuses() {
    Port port = new Deaf(new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 64));
    try (LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(port).address("192.0.2.5/24"))
            .service(Lan.withServers(Lan.tcp(false), false, 1))
            .flowTable(64)
            .build()) {
      balancer.start();
      VirtualService v6 =
          VirtualService.tcp("2001:db8:5::100", 80).named("web6").forwarding(DirectServerReturn.create()).build();

      assertThatExceptionOfType(PortException.class).isThrownBy(() -> balancer.addService(v6));

      assertThat(balancer.services()).extracting(VirtualService::name).containsExactly("web");
    }
  }
}

package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.frame.FrameMarks;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortException;
import io.lb4j.port.PortWrapper;
import io.lb4j.service.Health;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RefusedGroupTest {
  /** A port whose device joins no group. */
  private static final class Deaf extends PortWrapper {
    Deaf(MemoryPort port) {
      super(port);
    }

    @Override
    public void join(MacAddress address) {
      throw new PortException(PortException.Cause.NOT_SUPPORTED, "no groups");
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

  /** The change would have removed a server with a connection; what is refused must not have done so for a moment. */
  @Test
  void shouldKeepFlowsAndHealthOverAChangeThatIsRefused() {
    MemoryPort memory = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 64);
    try (LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(new Deaf(memory)).address("192.0.2.5/24"))
            .neighbor(Lan.server(false, 1), Lan.mac(1))
            .announcements(AnnouncementSettings.off())
            .service(Lan.withServers(Lan.tcp(false), false, 1))
            .flowTable(64)
            .build()) {
      balancer.start();
      FrameBuilder syn = FrameBuilder.from("198.51.100.1", Lan.vip(false)).macs(Lan.LB_MAC, Lan.ROUTER_MAC);
      memory.offer(0, syn.tcp(4000, 80, TcpHeader.SYN).padTo(60).build(), FrameMarks.NONE);
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (!memory.poll(0, (buffer, start, length, marks) -> {})) {
        assertThat(System.nanoTime() - end).as("no frame came").isNegative();
        Thread.onSpinWait();
      }
      balancer.service("web").realServer("s1").report(Health.DOWN);
      VirtualService v6 =
          VirtualService.tcp("2001:db8:5::100", 80).named("web6").forwarding(DirectServerReturn.create()).build();
      VirtualService web = balancer.service("web").declaration().withServer("s1", null);

      assertThatExceptionOfType(PortException.class)
          .isThrownBy(() -> balancer.apply(balancer.plan(List.of(web, v6))));

      assertThat(balancer.service("web").realServer("s1").health()).isEqualTo(Health.DOWN);
      assertThat(balancer.statistics().services().get(0).servers().get(0).counts().active()).isEqualTo(1);
    }
  }
}

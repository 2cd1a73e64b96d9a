package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import java.util.function.UnaryOperator;

/**
 * A balancer for Direct Server Return: services of {@link Flows}, each with servers of its own choice among the
 * machines of one network, whose MAC addresses are known. Stateless.
 */
final class DsrNetwork {
  static final int LEAST_MACHINES = 128;

  /** What a frame may take on the simulated clock: the sweep of the flow table keeps its share of the work. */
  static final long FRAME_NS = 50;

  /** The simulated clock's begin. */
  static final long START_NS = 1_000_000_000L;

  /** The interface's: of the network of virtual addresses, and of the servers'. */
  static final String[] ADDRESSES = {"192.0.2.5/24", "198.19.0.5/16", "2001:db8:5::5/64", "2001:db8:9::5/64"};

  private static final int HOSTS = 250; // of each 256 addresses
  private static final long SERVER_MACS = 0x0200_0001_0000L;

  private DsrNetwork() {}

  static LoadBalancerBuilder builder(boolean v6, int services, int servers, int flowCapacity) {
    return builder(v6, services, servers, flowCapacity, UnaryOperator.identity());
  }

  /** A builder that still needs its port, if it is to have one. */
  static LoadBalancerBuilder builder(
      boolean v6, int services, int servers, int flowCapacity, UnaryOperator<VirtualServiceBuilder> change) {
    int machines = Math.max(LEAST_MACHINES, servers);
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .announcements(AnnouncementSettings.off())
            .flowTable(flowCapacity)
            .seed(7)
            .clock(() -> DsrNetwork.START_NS);
    for (int service = 0; service < services; service++) {
      VirtualServiceBuilder declared =
          VirtualService.tcp(Flows.vip(v6, service), Flows.servicePort(service))
              .named("service-" + service)
              .forwarding(DirectServerReturn.create());
      for (int server = 0; server < servers; server++) {
        declared.realServer("server-" + server, address(v6, (service * servers + server) % machines));
      }
      builder.service(change.apply(declared));
    }
    return builder;
  }

  /** Gives it its one interface, which the host brings frames of. */
  static LoadBalancer embedded(LoadBalancerBuilder builder, boolean v6, int servers) {
    builder.networkInterface(
        "eth0", i -> i.mac(FramePool.BALANCER_MAC).address(ADDRESSES).hostStack(false));
    return withNeighbors(builder, v6, servers).build();
  }

  /** Tells it the machines' MAC addresses; to be called when the interface is there. */
  static LoadBalancerBuilder withNeighbors(LoadBalancerBuilder builder, boolean v6, int servers) {
    for (int machine = 0; machine < Math.max(LEAST_MACHINES, servers); machine++) {
      builder.neighbor(address(v6, machine), String.format("02:00:00:01:%02x:%02x", machine >> 8, machine & 0xFF));
    }
    return builder;
  }

  static long machineMac(int machine) {
    return SERVER_MACS + machine;
  }

  private static String address(boolean v6, int machine) {
    return v6
        ? "2001:db8:9::" + Integer.toHexString(0x1000 + machine)
        : "198.19." + (1 + machine / HOSTS) + "." + (1 + machine % HOSTS);
  }
}

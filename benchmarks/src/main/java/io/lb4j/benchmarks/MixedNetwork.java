package io.lb4j.benchmarks;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.gateway.Gateway;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import java.util.List;

/**
 * A balancer that does everything at once: each scheduler in services of both forwarding methods, both protocols and
 * both families. Direct services have their servers on the outer interface, translated ones on the inner. Stateless.
 */
final class MixedNetwork {
  static final int OUTSIDE = 0;
  static final int INSIDE = 1;

  /** Services of a lane: more than there are schedulers, which some have in common therefore. */
  static final int SERVICES = 16;

  static final int SERVERS = 4;
  static final int FIRST_DIRECT = 0;
  static final int FIRST_TRANSLATED = SERVICES;
  static final int FIRST_SERVER_PORT = 8000;

  private static final int MACHINES = 32;
  private static final int FIRST_MACHINE = 10;

  private MixedNetwork() {}

  static LoadBalancer balancer(int capacity) {
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface(
                "eth0",
                i ->
                    i.mac(FramePool.BALANCER_MAC)
                        .address("192.0.2.5/24", "198.19.0.5/16", "2001:db8:5::5/64", "2001:db8:19::5/64")
                        .hostStack(false))
            .networkInterface(
                "eth1",
                i -> i.mac(FramePool.BALANCER_MAC).address("198.18.0.5/24", "2001:db8:9::5/64").hostStack(false))
            .route("0.0.0.0/0", "192.0.2.1")
            .route("::/0", "2001:db8:5::1")
            .neighbor("192.0.2.1", "02:00:00:00:00:01")
            .neighbor("2001:db8:5::1", "02:00:00:00:00:01")
            .announcements(AnnouncementSettings.off())
            .flowTable(capacity)
            .seed(7)
            .clock(() -> DsrNetwork.START_NS);
    for (boolean v6 : new boolean[] {false, true}) {
      for (boolean direct : new boolean[] {false, true}) {
        addMachines(builder, v6, direct);
        addServices(builder, v6, direct);
      }
    }
    return builder.build();
  }

  private static void addMachines(LoadBalancerBuilder builder, boolean v6, boolean direct) {
    for (int machine = 0; machine < MACHINES; machine++) {
      String mac = String.format("02:00:00:%02x:%02x:%02x", direct ? 1 : 2, v6 ? 6 : 4, machine);
      builder.neighbor(address(v6, direct, machine), mac);
    }
  }

  private static void addServices(LoadBalancerBuilder builder, boolean v6, boolean direct) {
    List<String> schedulers = Schedulers.names();
    int first = direct ? FIRST_DIRECT : FIRST_TRANSLATED;
    for (int service = first; service < first + SERVICES; service++) {
      String vip = Flows.vip(v6, service);
      String name = (v6 ? "v6-" : "v4-") + service;
      String scheduler = schedulers.get(service % schedulers.size());
      int port = Flows.servicePort(service);
      builder.service(declared(VirtualService.tcp(vip, port).named("tcp-" + name), scheduler, v6, service, direct));
      builder.service(declared(VirtualService.udp(vip, port).named("udp-" + name), scheduler, v6, service, direct));
    }
  }

  private static VirtualServiceBuilder declared(
      VirtualServiceBuilder builder, String scheduler, boolean v6, int service, boolean direct) {
    builder
        .forwarding(direct ? DirectServerReturn.create() : Gateway.create())
        .scheduler(Schedulers.named(scheduler).orElseThrow());
    for (int server = 0; server < SERVERS; server++) {
      String address = address(v6, direct, (service * SERVERS + server) % MACHINES);
      builder.realServer("server-" + server, address, s -> direct ? s : s.port(FIRST_SERVER_PORT + service));
    }
    return builder;
  }

  private static String address(boolean v6, boolean direct, int machine) {
    int host = FIRST_MACHINE + machine;
    return v6
        ? (direct ? "2001:db8:19::" : "2001:db8:9::") + Integer.toHexString(host)
        : (direct ? "198.19.0." : "198.18.0.") + host;
  }
}

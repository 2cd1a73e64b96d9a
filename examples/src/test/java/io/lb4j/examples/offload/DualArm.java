package io.lb4j.examples.offload;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.Port;

/**
 * A gateway between clients and servers, of both families; what is behind each arm is the test's to say.
 *
 * <pre>
 *   clients ──[eth0 198.51.100.5 balancer 192.0.2.5 eth1]── servers
 * </pre>
 */
final class DualArm {
  static final String OUTSIDE_MAC = "02:00:00:00:00:04";
  static final String INSIDE_MAC = "02:00:00:00:00:05";

  /** Of who sends to the balancer: a client's router, and a server. */
  static final String ROUTER_MAC = "02:00:00:00:00:01";

  static final String SERVER_MAC = "02:00:00:00:00:11";

  private DualArm() {}

  static LoadBalancerBuilder between(Port eth0, Port eth1) {
    return LoadBalancer.builder()
        .networkInterface(
            "eth0", i -> i.port(eth0).mac(OUTSIDE_MAC).address("198.51.100.5/24", "2001:db8:c::5/64").hostStack(false))
        .networkInterface(
            "eth1", i -> i.port(eth1).mac(INSIDE_MAC).address("192.0.2.5/24", "2001:db8:5::5/64").hostStack(false))
        .announcements(AnnouncementSettings.off())
        .flowTable(1024);
  }

  static String server(boolean v6) {
    return v6 ? "2001:db8:5::11" : "192.0.2.11";
  }

  static String vip(boolean v6) {
    return v6 ? "2001:db8:c::f0" : "198.51.100.230";
  }

  static String peer(boolean v6) {
    return v6 ? "2001:db8:f::7" : "203.0.113.7";
  }
}

package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.DirectForwarding;
import io.lb4j.forward.Forwarder;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.topology.Topology;

/** A method that changes only the link layer: servers have the virtual address themselves. Immutable, shared. */
final class DirectRouting implements DirectForwarding {
  @Override
  public String name() {
    return "direct";
  }

  @Override
  public void check(VirtualService service, Topology topology) {}

  @Override
  public IpAddress nextHop(RealServer server, Topology topology) {
    return server.address();
  }

  @Override
  public FlowTimeouts timeouts() {
    return FlowTimeouts.ONE_DIRECTION;
  }

  @Override
  public Forwarder newForwarder() {
    return (view, target, egress) -> egress.send(view, target.link(), target.neighbor());
  }

  /** A service on port 80 with one server, inside host 1, which listens on that port. */
  static VirtualServiceBuilder service(boolean v6, boolean tcp, ForwardingMethod method) {
    String vip = Network.vip(v6);
    return (tcp ? VirtualService.tcp(vip, 80) : VirtualService.udp(vip, 80))
        .named("web")
        .forwarding(method)
        .realServer("s1", Network.inside(v6, 1));
  }
}

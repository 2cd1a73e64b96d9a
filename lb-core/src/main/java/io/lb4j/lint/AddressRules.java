package io.lb4j.lint;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Topology;
import java.util.function.Consumer;

/** Whether frames to a service's virtual addresses come here at all. Owned by one thread. */
final class AddressRules {
  private static final IpPrefix LINK_LOCAL_V4 = IpPrefix.of("169.254.0.0/16"); // RFC 3927

  private final VirtualService service;
  private final Topology topology;
  private final Consumer<Finding> findings;

  AddressRules(VirtualService service, Topology topology, Consumer<Finding> findings) {
    this.service = service;
    this.topology = topology;
    this.findings = findings;
  }

  void check() {
    String setting = "service " + service.name() + ": vip";
    for (IpPrefix vip : service.vips()) {
      if (isLinkLocal(vip.address())) {
        findings.accept(ConfigurationWarning.VIP_LINK_LOCAL.at(
            setting, text(vip) + " is link-local, and no router forwards to or from such an address"));
      } else if (topology.subnets().stream().noneMatch(subnet -> subnet.overlaps(vip))) {
        findings.accept(elsewhere(setting, vip));
      }
    }
  }

  private static String text(IpPrefix vip) {
    return vip.isHost() ? vip.address().toString() : vip.toString();
  }

  private static boolean isLinkLocal(IpAddress address) {
    return address.isLinkLocal() || LINK_LOCAL_V4.contains(address);
  }

  /** Nobody asks for an address that is in no connected subnet: a router has to send it here. */
  private Finding elsewhere(String setting, IpPrefix vip) {
    String reason = text(vip) + " is in no interface's subnet, so nobody asks for it on a link";
    return topology.routes(service.isV6()).isEmpty()
        ? ConfigurationWarning.VIP_NOT_ON_LINK.at(setting, reason + ", and there is no router that could send it")
        : ConfigurationWarning.VIP_BY_ROUTER.at(setting, reason + "; a router has to send it here");
  }
}

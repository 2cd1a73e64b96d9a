package io.lb4j.examples.live;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.Configuration;
import io.lb4j.pcap.HostCheck;
import java.io.IOException;
import java.net.NetworkInterface;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What the host's kernel must not do beside a live balancer. Safe from any thread. */
final class HostRules {
  private HostRules() {}

  /** Refuses virtual addresses that the kernel holds; warns of the rest. */
  static void check(Configuration configuration, boolean hostIgnoresVips, Consumer<String> warnings)
      throws IOException, CommandException {
    for (HostCheck.Finding finding : HostCheck.run(virtualAddresses(configuration))) {
      if (finding.problem() == HostCheck.Problem.ADDRESS_HELD && !hostIgnoresVips) {
        throw new CommandException(
            configuration.file() + ": virtual or NAT address " + finding.subject() + " is held by the kernel on "
                + finding.interfaceName() + ", which would answer clients itself; " + finding.remedy()
                + " and pass --host-ignores-vips [vip-held-by-kernel]");
      }
      if (finding.problem() == HostCheck.Problem.FORWARDING) {
        warnings.accept(
            "the kernel forwards packets (" + finding.subject() + "), so frames may leave twice; " + finding.remedy());
      }
    }
  }

  /** Single addresses that are the balancer's alone, and those of the host that are in a prefix of such. */
  private static Set<IpAddress> virtualAddresses(Configuration configuration) throws IOException {
    Set<IpAddress> addresses = new LinkedHashSet<>();
    List<IpPrefix> vips = configuration.balancerAddresses();
    vips.stream().filter(IpPrefix::isHost).map(IpPrefix::address).forEach(addresses::add);
    NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .map(own -> IpAddress.of(own.getAddress()))
        .filter(own -> vips.stream().anyMatch(vip -> vip.contains(own)))
        .forEach(addresses::add);
    return addresses;
  }
}

package io.lb4j.examples.live;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.pcap.HostCheck;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.NetworkInterface;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What the host's kernel must not do beside a live balancer. Safe from any thread. */
final class HostRules implements Host {
  private final boolean mayHoldVips;

  /**
   * The rules.
   *
   * @param mayHoldVips whether a rule at ingress keeps the kernel from virtual addresses that it holds
   */
  HostRules(boolean mayHoldVips) {
    this.mayHoldVips = mayHoldVips;
  }

  @Override
  public void check(Configuration configuration) throws ConfigurationFileException {
    if (mayHoldVips) {
      return;
    }
    List<ConfigurationException> held =
        findings(configuration).stream()
            .filter(finding -> finding.problem() == HostCheck.Problem.ADDRESS_HELD)
            .map(finding -> refusal(configuration, finding))
            .toList();
    if (!held.isEmpty()) {
      throw configuration.refused(held);
    }
  }

  /** Tells what the kernel does beside the balancer and traffic survives. */
  void warn(Configuration configuration, Consumer<String> warnings) {
    findings(configuration).stream()
        .filter(finding -> finding.problem() == HostCheck.Problem.FORWARDING)
        .forEach(finding -> warnings.accept(
            "the kernel forwards packets (" + finding.subject() + "), so frames may leave twice; " + finding.remedy()));
  }

  private static ConfigurationException refusal(Configuration configuration, HostCheck.Finding finding) {
    IpAddress address = IpAddress.of(finding.subject());
    String setting =
        configuration.services().stream()
            .filter(service -> service.serves(address))
            .findFirst()
            .map(HostRules::setting)
            .orElse("outbound");
    return new ConfigurationException(
        ConfigurationError.VIP_HELD_BY_KERNEL,
        setting,
        address,
        "the kernel holds it on " + finding.interfaceName() + " and would answer clients itself; with a rule at ingress"
            + " pass --host-ignores-vips");
  }

  private static String setting(VirtualService service) {
    return "service " + service.name() + ": vip";
  }

  private static List<HostCheck.Finding> findings(Configuration configuration) {
    try {
      return HostCheck.run(virtualAddresses(configuration));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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

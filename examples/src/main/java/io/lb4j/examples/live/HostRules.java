package io.lb4j.examples.live;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.gateway.OutboundRule;
import io.lb4j.pcap.host.BalancerAddresses;
import io.lb4j.pcap.host.HostCheck;
import io.lb4j.pcap.host.KernelShield;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.port.PortException;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What the host's kernel must not do beside a live balancer, and the shield against it. Safe from any thread. */
final class HostRules implements Host {
  private final Beside beside;
  private KernelShield shield; // guarded by this; null where there is none
  private Consumer<String> words = text -> {}; // guarded by this

  HostRules(Beside beside) {
    this.beside = beside;
  }

  @Override
  public void check(Configuration configuration) throws ConfigurationFileException {
    if (beside != Beside.APART) {
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

  @Override
  public void warn(Configuration configuration, Consumer<String> warnings) {
    for (HostCheck.Finding finding : findings(configuration)) {
      if (!concerns(configuration, finding)) {
        continue;
      }
      boolean shielded = finding.problem() != HostCheck.Problem.REVERSE_PATH_FILTER;
      if (!shielded) {
        warnings.accept(finding.toString());
      } else if (beside == Beside.APART) {
        warnings.accept(finding + ", or lb run --shield");
      }
    }
  }

  /** A kernel that forwards does not matter on interfaces whose frames it does not see. */
  static boolean concerns(Configuration configuration, HostCheck.Finding finding) {
    return finding.problem() != HostCheck.Problem.FORWARDING
        || configuration.interfaces().stream()
            .filter(link -> finding.interfaceName().isEmpty() || link.name().equals(finding.interfaceName()))
            .anyMatch(link -> link.live().io() != LiveIo.XDP);
  }

  @Override
  public synchronized void raise(Configuration configuration, Consumer<String> said) {
    if (beside == Beside.SHIELDED) {
      shield = KernelShield.raise(interfaces(configuration), addresses(configuration));
      words = said;
      said.accept("shield: the kernel sees none of the balancer's frames; nft list table netdev " + shield.table());
    }
  }

  @Override
  public List<IpPrefix> hidden(Configuration configuration) {
    return beside == Beside.APART ? List.of() : configuration.balancerAddresses();
  }

  @Override
  public synchronized void prepare(Configuration present, Configuration next) {
    if (shield != null) {
      shield.cover(addresses(present).and(addresses(next)));
    }
  }

  /** The change has been made by now, and what is covered beyond it goes with the next one. */
  @Override
  public synchronized void settle(Configuration present) {
    if (shield != null) {
      try {
        shield.cover(addresses(present));
      } catch (PortException e) {
        words.accept("warning: shield: it may cover addresses of the services before as well: " + e.getMessage());
      }
    }
  }

  @Override
  public synchronized void renew(String interfaceName) {
    if (shield != null) {
      shield.renew(interfaceName);
    }
  }

  @Override
  public synchronized void close() {
    if (shield != null) {
      shield.close();
    }
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
        "the kernel holds it on " + finding.interfaceName() + ": " + finding.effect() + "; " + finding.remedy()
            + ", or pass --shield, or with a rule of your own at ingress --host-ignores-vips");
  }

  private static String setting(VirtualService service) {
    return "service " + service.name() + ": vip";
  }

  private static List<HostCheck.Finding> findings(Configuration configuration) {
    try {
      return HostCheck.run(addresses(configuration), interfaces(configuration));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What {@link #raise} does, as a file for {@code nft -f}. */
  static String text(Configuration configuration) {
    return KernelShield.text(interfaces(configuration), addresses(configuration));
  }

  private static List<String> interfaces(Configuration configuration) {
    return configuration.interfaces().stream().map(InterfaceDeclaration::name).toList();
  }

  /** Servers of full NAT have another gateway: what they send is for them and the balancer's own addresses. */
  static BalancerAddresses addresses(Configuration configuration) {
    List<OutboundRule> outbound = configuration.outbound().map(rules -> rules.rules()).orElse(List.of());
    Stream<IpPrefix> servers =
        configuration.services().stream()
            .filter(service -> service.forwarding() instanceof TranslatedForwarding method && method.addresses().isEmpty())
            .flatMap(service -> service.servers().stream())
            .map(server -> IpPrefix.host(server.address()));
    return new BalancerAddresses(
        configuration.balancerAddresses(),
        Stream.concat(servers, outbound.stream().map(OutboundRule::from)).distinct().toList(),
        outbound.stream().filter(OutboundRule::isRouted).map(OutboundRule::from).toList());
  }
}

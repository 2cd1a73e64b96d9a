package io.lb4j.examples.live;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.flow.FlowTable;
import io.lb4j.settings.ConfigurationException;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.function.Function;

/**
 * Builds a balancer without opening an interface, so that the library's rules are asked. Where the file leaves the
 * addresses to the live interface, those of this host are used when it has one of that name, or what is given for
 * them. The flow table is the smallest.
 */
public final class Rehearsal {
  private static final long STAND_IN_MAC = 0x02_00_5E_00_00_00L;

  private final Configuration configuration;
  private final Function<InterfaceDeclaration, List<InterfaceAddress>> live;

  /**
   * A rehearsal.
   *
   * @param configuration to be built
   */
  public Rehearsal(Configuration configuration) {
    this(configuration, link -> hostAddresses(link.name()));
  }

  /** The same where it is known which addresses live interfaces have. */
  Rehearsal(Configuration configuration, Function<InterfaceDeclaration, List<InterfaceAddress>> live) {
    this.configuration = configuration;
    this.live = live;
  }

  /** The same on a host some of whose addresses are hidden from the balancer. */
  static Rehearsal hiding(List<IpPrefix> hidden, Configuration configuration) {
    return new Rehearsal(configuration, link -> hostAddresses(link.name(), hidden));
  }

  /**
   * Builds it.
   *
   * @return a balancer without ports, which the caller closes
   * @throws ConfigurationFileException when a rule is broken
   */
  public LoadBalancer build() throws ConfigurationFileException {
    return configuration.build(builder().flowTable(FlowTable.MIN_CAPACITY));
  }

  /**
   * Declares it, with the flow table that the file asks for.
   *
   * @return a builder that can be asked for its findings
   * @throws ConfigurationFileException when a setting is refused at once
   */
  public LoadBalancerBuilder builder() throws ConfigurationFileException {
    try {
      return declared();
    } catch (ConfigurationException e) {
      throw configuration.refused(e);
    }
  }

  private LoadBalancerBuilder declared() throws ConfigurationFileException {
    LoadBalancerBuilder builder = configuration.builder().announcements(configuration.announcements());
    int index = 0;
    for (InterfaceDeclaration link : configuration.interfaces()) {
      MacAddress mac = link.mac().orElse(MacAddress.of(STAND_IN_MAC | ++index));
      List<String> addresses = link.addresses().isEmpty() ? texts(live.apply(link)) : link.addresses();
      builder.networkInterface(link.name(), options -> {
        options.mac(mac.toString()).address(addresses.toArray(String[]::new));
        return link.declare(options);
      });
    }
    return builder;
  }

  /**
   * The addresses of an interface.
   *
   * @param link declared
   * @return those of the file, else those of this host's interface of that name, else none
   */
  public static List<String> addresses(InterfaceDeclaration link) {
    return link.addresses().isEmpty() ? texts(hostAddresses(link.name())) : link.addresses();
  }

  private static List<String> texts(List<InterfaceAddress> addresses) {
    return addresses.stream().map(InterfaceAddress::toString).toList();
  }

  /** Those of this host's interface of a name, but for what is hidden; none without such an interface. */
  static List<InterfaceAddress> hostAddresses(String name, List<IpPrefix> hidden) {
    return hostAddresses(name).stream()
        .filter(held -> hidden.stream().noneMatch(prefix -> prefix.contains(held.address())))
        .toList();
  }

  private static List<InterfaceAddress> hostAddresses(String name) {
    try {
      NetworkInterface device = NetworkInterface.getByName(name);
      return device == null
          ? List.of()
          : device.getInterfaceAddresses().stream()
              .map(own -> new InterfaceAddress(
                  IpAddress.of(own.getAddress().getAddress()), own.getNetworkPrefixLength()))
              .toList();
    } catch (SocketException e) {
      return List.of();
    }
  }
}

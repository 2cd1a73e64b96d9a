package io.lb4j.setup;

import io.lb4j.address.IpAddress;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a forwarding method asks of a real server's machine. Immutable, shared.
 *
 * @param server the server's name
 * @param method names the forwarding method in the script's head, for example {@code Direct Server Return}
 * @param addresses by which the balancer knows the machine, one or more; scripts find its interfaces by them
 * @param virtualAddresses to hold on the loopback interface without answering ARP for them
 * @param gateways to be default gateway, one of each family at most
 */
public record ServerNeeds(
    String server,
    String method,
    List<IpAddress> addresses,
    List<IpAddress> virtualAddresses,
    List<IpAddress> gateways) {
  /** Refuses what no script could do, and names that could end a line of a script. */
  public ServerNeeds {
    addresses = addresses.stream().distinct().sorted().toList();
    virtualAddresses = virtualAddresses.stream().distinct().sorted().toList();
    gateways = gateways.stream().distinct().sorted().toList();
    Names.checkText("server", server);
    Names.checkText("method", method);
    if (addresses.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "server " + server, "no address", "interfaces are found by the server's address");
    }
    checkHosts(server, addresses);
    checkHosts(server, virtualAddresses);
    checkHosts(server, gateways);
    checkGateways(server, gateways);
    for (IpAddress vip : virtualAddresses) {
      if (addresses.contains(vip)) {
        throw new ConfigurationException(
            ConfigurationError.VIP_IS_SERVER, "server " + server, vip, "is the server's own address too");
      }
    }
    for (IpAddress gateway : gateways) {
      if (addresses.stream().noneMatch(address -> address.isV6() == gateway.isV6())) {
        throw new ConfigurationException(
            ConfigurationError.FAMILY_MISMATCH,
            "server " + server,
            gateway,
            "the server has no address of the gateway's family, by which its interface could be found");
      }
    }
  }

  private static void checkHosts(String server, List<IpAddress> addresses) {
    for (IpAddress address : addresses) {
      if (address.isMulticast() || address.isUnspecified() || address.isLoopback()) {
        throw new ConfigurationException(
            ConfigurationError.NOT_UNICAST, "server " + server, address, "no host has this address");
      }
    }
  }

  private static void checkGateways(String server, List<IpAddress> gateways) {
    Set<Boolean> families = new HashSet<>();
    for (IpAddress gateway : gateways) {
      if (!families.add(gateway.isV6())) {
        throw new ConfigurationException(
            ConfigurationError.CONTRADICTION, "server " + server, gateways, "a machine has one default gateway a family");
      }
    }
  }

  /**
   * Whether the machine can stay as it is.
   *
   * @return true when neither an address nor a route is needed
   */
  public boolean isNothing() {
    return virtualAddresses.isEmpty() && gateways.isEmpty();
  }

  /** Virtual addresses of one family. */
  List<IpAddress> virtualAddresses(boolean v6) {
    return virtualAddresses.stream().filter(address -> address.isV6() == v6).toList();
  }

  /** The server's addresses of one family. */
  List<IpAddress> addresses(boolean v6) {
    return addresses.stream().filter(address -> address.isV6() == v6).toList();
  }

  /** The gateway of one family. */
  Optional<IpAddress> gateway(boolean v6) {
    return gateways.stream().filter(address -> address.isV6() == v6).findFirst();
  }
}

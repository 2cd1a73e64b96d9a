package io.lb4j.service;

import io.lb4j.address.IpAddress;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A real server's machine: what one name means in several services, and what several names mean that have an address in
 * common. Immutable, shared.
 *
 * @param names of the real servers that it is
 * @param addresses that they have
 */
public record Machine(Set<String> names, Set<IpAddress> addresses) {
  /** Keeps copies. */
  public Machine {
    names = Set.copyOf(names);
    addresses = Set.copyOf(addresses);
  }

  /**
   * The machine of a real server.
   *
   * @param server its name
   * @param services all that there are, whatever their forwarding method
   * @return with the name alone where no service has it
   */
  public static Machine of(String server, Collection<VirtualService> services) {
    List<RealServer> all = services.stream().flatMap(service -> service.servers().stream()).toList();
    Set<String> names = new HashSet<>(Set.of(server));
    Set<IpAddress> addresses = new HashSet<>();
    int known;
    do {
      known = names.size() + addresses.size();
      for (RealServer each : all) {
        if (names.contains(each.name()) || addresses.contains(each.address())) {
          names.add(each.name());
          addresses.add(each.address());
        }
      }
    } while (names.size() + addresses.size() > known);
    return new Machine(names, addresses);
  }

  /**
   * Whether a real server is this machine.
   *
   * @param server of any service
   * @return true when its name is among the names
   */
  public boolean is(RealServer server) {
    return names.contains(server.name());
  }
}

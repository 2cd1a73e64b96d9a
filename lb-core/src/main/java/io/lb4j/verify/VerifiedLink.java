package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.port.Port;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * An interface of the balancer, with a port to ask by. Immutable.
 *
 * @param link what the configuration declares of it; its index is its place in the list of interfaces
 * @param port open for as long as the verification lasts; closed by the caller
 * @param held addresses of the interface that the host's kernel answers for; the verification answers for the others
 *     itself while it lasts
 */
public record VerifiedLink(Link link, Port port, Set<IpAddress> held) {
  /** Keeps a copy of the addresses. */
  public VerifiedLink {
    held = Set.copyOf(held);
  }

  /** The addresses that nobody answers for but us. */
  List<IpAddress> unattended() {
    List<IpAddress> own = new ArrayList<>();
    link.addresses().forEach(address -> own.add(address.address()));
    if (own.stream().noneMatch(IpAddress::isLinkLocal)) {
      own.add(link.mac().linkLocal());
    }
    own.removeIf(held::contains);
    return own;
  }

  /** The IPv6 address for talk within the link. */
  IpAddress linkLocal() {
    return link.addresses().stream()
        .map(own -> own.address())
        .filter(IpAddress::isLinkLocal)
        .findFirst()
        .orElse(link.mac().linkLocal());
  }
}

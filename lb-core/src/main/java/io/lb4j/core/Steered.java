package io.lb4j.core;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.port.Port;
import io.lb4j.port.SteeredPrefixes;
import io.lb4j.topology.Link;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Which frames a table wants of a port that leaves others to the host's kernel. Asked by control. */
final class Steered {
  private Steered() {}

  /** What a link's port is to take: all virtual addresses, and the link's own that its host does not have. */
  static SteeredPrefixes of(ForwardingTable table, Link link, Port port) {
    Set<IpPrefix> destinations = new LinkedHashSet<>();
    for (Link each : table.topology().links()) {
      destinations.addAll(table.addresses().virtualAddresses(each.index()));
    }
    link.addresses().stream()
        .map(InterfaceAddress::address)
        .filter(own -> port.traits().addresses().stream().noneMatch(held -> held.address().equals(own)))
        .forEach(own -> destinations.add(IpPrefix.host(own)));
    return new SteeredPrefixes(
        destinations.stream().toList(),
        sources(table).stream().toList(),
        table.translation().map(TranslatorProvider::routedHosts).orElse(List.of()));
  }

  /** Servers whose replies come through us, and hosts that start traffic through us. */
  private static Set<IpPrefix> sources(ForwardingTable table) {
    Set<IpPrefix> sources = new LinkedHashSet<>();
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      if (binding != null && !binding.service().isDirect()) {
        sources.add(IpPrefix.host(binding.target().address()));
      }
    }
    table.translation().map(TranslatorProvider::insideHosts).ifPresent(sources::addAll);
    return sources;
  }
}

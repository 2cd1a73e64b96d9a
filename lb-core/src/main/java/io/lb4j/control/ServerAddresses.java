package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The addresses of all real servers, and whose they are, so that a virtual address need not ask every server. Owned by
 * the thread that checks.
 */
final class ServerAddresses {
  private final Map<IpAddress, List<String>> owners = new LinkedHashMap<>();

  /** Those of some services. */
  ServerAddresses(List<VirtualService> services) {
    for (VirtualService service : services) {
      for (RealServer server : service.servers()) {
        owners
            .computeIfAbsent(server.address(), address -> new ArrayList<>())
            .add("is the address of server " + server.name() + " of service " + service.name());
      }
    }
  }

  /** Those in a prefix, with what is to be said of each. */
  Map<IpAddress, List<String>> within(IpPrefix prefix) {
    if (prefix.isHost()) {
      List<String> whose = owners.get(prefix.address());
      return whose == null ? Map.of() : Map.of(prefix.address(), whose);
    }
    Map<IpAddress, List<String>> inside = new LinkedHashMap<>();
    owners.forEach((address, whose) -> {
      if (prefix.contains(address)) {
        inside.put(address, whose);
      }
    });
    return inside;
  }
}

package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.ForwardingTable;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Bindings by what servers are called on every instance. Owned by the thread that restores. */
final class ServerIndex {
  /** The answer for a server that is not declared. */
  static final int NONE = 0;

  private final Map<Server, Integer> bindings = new HashMap<>();
  private @Nullable ForwardingTable indexed;

  private record Server(String service, boolean direct, IpAddress address, int port) {}

  /** The binding of a server whose flows are forwarded directly, or else are translated. */
  int find(ForwardingTable table, String service, boolean direct, IpAddress address, int port) {
    if (table != indexed) {
      index(table);
    }
    return bindings.getOrDefault(new Server(service, direct, address, port), NONE);
  }

  private void index(ForwardingTable table) {
    bindings.clear();
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      if (binding != null) {
        String service = binding.service().declaration().name();
        boolean direct = binding.service().isDirect();
        bindings.put(new Server(service, direct, binding.target().address(), binding.target().port()), id);
      }
    }
    indexed = table;
  }
}

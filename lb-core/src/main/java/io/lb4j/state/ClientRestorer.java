package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.CompiledService;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.dataplane.ServiceClients;
import io.lb4j.flow.TakeOver;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.persistence.SourceIpPersistence;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Takes saved clients over: into the tables of the services that remembered them, whoever shares them now. Owned by the
 * thread that restores; the tables are safe from any thread.
 */
final class ClientRestorer {
  /** Tables and members that a stream may define; more than a balancer can have. */
  private static final int MOST_DEFINITIONS = 1 << 21;

  private final Supplier<ForwardingTable> published;
  private final Map<Integer, SavedTable> tables = new HashMap<>();
  private final Map<TakeOver, Long> counts = new EnumMap<>(TakeOver.class);
  private int definitions;

  /** Where a saved table's clients go now. */
  private static final class SavedTable {
    private final List<Target> targets = new ArrayList<>();
    private boolean settingsDiffer;

    void add(ServiceClients clients, SourceIpPersistence settings, ForwardingTable snapshot) {
      if (!clients.settings().tellsClientsApartAs(settings)) {
        settingsDiffer = true;
      } else if (targets.stream().noneMatch(known -> known.table == clients.table())) {
        boolean byAddress = settings.scope().isShared() || clients.settings().scope().isShared();
        targets.add(new Target(clients.table(), byAddress, snapshot));
      }
    }

    TakeOver restore(IpAddress client, int port, int member, long remainingNs, long nowNs) {
      if (targets.isEmpty()) {
        return settingsDiffer ? TakeOver.SETTINGS_DIFFER : TakeOver.NO_SERVER;
      }
      if (remainingNs <= 0) {
        return TakeOver.EXPIRED;
      }
      TakeOver result = TakeOver.NO_SERVER;
      for (Target target : targets) {
        Integer number = target.numbers.get(member);
        if (number != null) {
          boolean taken =
              target.table.restore(
                  client.isV6(), client.high(), client.low(), port, number, remainingNs, nowNs);
          result = taken || result == TakeOver.TAKEN_OVER ? TakeOver.TAKEN_OVER : TakeOver.ALREADY_THERE;
        }
      }
      return result;
    }
  }

  /** A table of this instance, and what it calls the saver's members. */
  private static final class Target {
    private final PersistenceTable table;
    private final boolean byAddress;
    private final Map<IpAddress, Map<Integer, Integer>> servers = new HashMap<>(); // by address, then port
    private final Map<Integer, Integer> numbers = new HashMap<>();

    Target(PersistenceTable table, boolean byAddress, ForwardingTable snapshot) {
      this.table = table;
      this.byAddress = byAddress;
      for (int id = 1; id <= snapshot.highestBinding(); id++) {
        Binding binding = snapshot.binding(id);
        if (binding != null) {
          addServer(binding);
        }
      }
    }

    private void addServer(Binding binding) {
      Optional<ServiceClients> clients = binding.service().clients().filter(known -> known.table() == table);
      clients.ifPresent(
          known ->
              servers
                  .computeIfAbsent(binding.target().address(), address -> new TreeMap<>())
                  .put(binding.target().port(), known.number(binding.id())));
    }

    void define(int member, IpAddress address, int port) {
      Map<Integer, Integer> byPort = servers.getOrDefault(address, Map.of());
      Integer number = byPort.get(port);
      if (number == null && byAddress) {
        number = byPort.values().stream().findFirst().orElse(null);
      }
      if (number != null) {
        numbers.put(member, number);
      }
    }
  }

  ClientRestorer(Supplier<ForwardingTable> published) {
    this.published = published;
  }

  Map<TakeOver, Long> counts() {
    return counts;
  }

  private void countDefinition() {
    if (++definitions > MOST_DEFINITIONS) {
      throw new IllegalArgumentException("more than " + MOST_DEFINITIONS + " tables and members");
    }
  }

  void defineTables(ByteBuffer from) {
    while (from.hasRemaining()) {
      countDefinition();
      int number = from.getInt();
      tables.put(number, table(from, StateFormat.getScope(from)));
    }
  }

  /** Reads the settings that tell clients apart, and finds the services' tables of today. */
  private SavedTable table(ByteBuffer from, PersistenceScope scope) {
    int v4Length = StateFormat.number8(from);
    int v6Length = StateFormat.number8(from);
    if (v4Length < 1 || v4Length > 32 || v6Length < 1 || v6Length > 128) {
      throw new IllegalArgumentException("clients of " + v4Length + " and " + v6Length + " bits");
    }
    SourceIpPersistence settings = SourceIpPersistence.create().prefixLengths(v4Length, v6Length).scope(scope);
    ForwardingTable snapshot = published.get();
    SavedTable saved = new SavedTable();
    for (int names = StateFormat.number16(from); names > 0; names--) {
      clients(snapshot, StateFormat.getText(from)).ifPresent(clients -> saved.add(clients, settings, snapshot));
    }
    return saved;
  }

  private static Optional<ServiceClients> clients(ForwardingTable snapshot, String service) {
    return snapshot.services().stream()
        .filter(known -> known.declaration().name().equals(service))
        .findFirst()
        .flatMap(CompiledService::clients);
  }

  void defineMembers(ByteBuffer from) {
    while (from.hasRemaining()) {
      countDefinition();
      SavedTable table = table(from.getInt());
      int member = from.getInt();
      IpAddress address = StateFormat.getAddress(from);
      int port = StateFormat.number16(from);
      table.targets.forEach(target -> target.define(member, address, port));
    }
  }

  private SavedTable table(int number) {
    SavedTable table = tables.get(number);
    if (table == null) {
      throw new IllegalArgumentException("table " + number + " is not defined");
    }
    return table;
  }

  void restore(ByteBuffer from, long nowNs) {
    while (from.hasRemaining()) {
      SavedTable table = table(from.getInt());
      int member = from.getInt();
      IpAddress client = StateFormat.getAddress(from);
      int port = StateFormat.number16(from);
      counts.merge(table.restore(client, port, member, from.getLong(), nowNs), 1L, Long::sum);
    }
  }
}

package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.CompiledService;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.dataplane.ServiceClients;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The clients that a service remembers, under one snapshot. Safe from any thread. */
final class ClientQueries {
  private final ForwardingTable table;
  private final ServiceClients clients;
  private final List<ServiceClients> sharing;
  private final long nowNs;

  /**
   * The clients of a service.
   *
   * @throws ConfigurationException when there is no service of the name, or when it remembers no clients
   */
  ClientQueries(ForwardingTable table, String service, long nowNs) {
    this.table = table;
    this.nowNs = nowNs;
    CompiledService compiled =
        table.services().stream()
            .filter(candidate -> candidate.declaration().name().equals(service))
            .findFirst()
            .orElseThrow(() -> refusal(ConfigurationError.UNKNOWN_NAME, "service", service, "there is no such service"));
    this.clients =
        compiled
            .clients()
            .orElseThrow(
                () ->
                    refusal(
                        ConfigurationError.MISSING,
                        "service " + service + ": persistence",
                        "none",
                        "the service remembers no clients"));
    this.sharing =
        table.services().stream()
            .flatMap(other -> other.clients().stream())
            .filter(other -> other.table() == clients.table())
            .toList();
  }

  private static ConfigurationException refusal(
      ConfigurationError error, String setting, String value, String reason) {
    return new ConfigurationException(error, setting, value, reason);
  }

  List<ClientEntry> list(ClientFilter filter, int limit) {
    List<ClientEntry> entries = new ArrayList<>();
    clients
        .table()
        .visit(
            nowNs,
            (v6, high, low, port, server, remainingNs) -> {
              ClientEntry entry = entry(v6, high, low, port, server, remainingNs);
              if (entry != null && filter.matches(entry) && entries.size() < limit) {
                entries.add(entry);
              }
              return entries.size() < limit;
            });
    return entries;
  }

  long forget(ClientFilter filter) {
    PersistenceTable known = clients.table();
    long[] forgotten = new long[1];
    known.visit(
        nowNs,
        (v6, high, low, port, server, remainingNs) -> {
          ClientEntry entry = entry(v6, high, low, port, server, remainingNs);
          boolean meant = filter.isAll() || entry != null && filter.matches(entry);
          if (meant && known.forget(v6, high, low, port, server)) {
            forgotten[0]++;
          }
          return true;
        });
    return forgotten[0];
  }

  /** Null for a server that no service has any more. */
  private @Nullable ClientEntry entry(
      boolean v6, long high, long low, int port, int server, long remainingNs) {
    IpAddress address = address(server);
    if (address == null) {
      return null;
    }
    SourceIpPersistence settings = clients.settings();
    int length = v6 ? settings.v6PrefixLength() : settings.v4PrefixLength();
    Binding own = table.binding(clients.binding(server));
    return new ClientEntry(
        IpPrefix.of(IpAddress.of(v6, high, low), length),
        port,
        own == null ? null : own.serverName(),
        address,
        Duration.ofNanos(remainingNs));
  }

  private @Nullable IpAddress address(int server) {
    return Stream.concat(Stream.of(clients), sharing.stream())
        .map(service -> table.binding(service.binding(server)))
        .filter(Objects::nonNull)
        .findFirst()
        .map(binding -> binding.target().address())
        .orElse(null);
  }
}

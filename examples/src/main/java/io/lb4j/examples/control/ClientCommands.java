package io.lb4j.examples.control;

import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.report.Table;
import io.lb4j.state.ClientEntry;
import io.lb4j.state.ClientFilter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code clients} and {@code forget-clients}: those that persistence remembers. Owned by the control thread. */
final class ClientCommands {
  private static final int MOST = 10_000;

  private final LoadBalancer balancer;

  ClientCommands(LoadBalancer balancer) {
    this.balancer = balancer;
  }

  void addTo(Commands commands) {
    commands.add("clients", (request, exchange) -> list(request), "service", "client", "server", "limit");
    commands.add("forget-clients", (request, exchange) -> forget(request), "service", "client", "server", "all");
  }

  private Reply list(Request request) throws CommandException {
    int limit = (int) request.number("limit", MOST, 1, MOST);
    List<ClientEntry> clients = balancer.clients(request.text("service"), filter(request), limit);
    return new Reply(Map.of("clients", clients.stream().map(ClientCommands::tree).toList()), text(clients));
  }

  private Reply forget(Request request) throws CommandException {
    ClientFilter filter = filter(request);
    if (filter.isAll() != request.flag("all")) {
      throw new CommandException("either name which clients, or 'all' of them");
    }
    String service = request.text("service");
    long forgotten = filter.isAll() ? balancer.forgetAllClients(service) : balancer.forgetClients(service, filter);
    return new Reply(Map.of("forgotten", forgotten), forgotten + " forgotten\n");
  }

  private static ClientFilter filter(Request request) throws CommandException {
    return new ClientFilter(request.prefix("client"), request.find("server"));
  }

  private static Map<String, Object> tree(ClientEntry client) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("client", name(client));
    if (client.port() != 0) {
      tree.put("port", client.port());
    }
    if (client.server() != null) {
      tree.put("server", client.server());
    }
    tree.put("address", client.address().toString());
    tree.put("remainingMs", client.remaining().toMillis());
    return tree;
  }

  private static String name(ClientEntry client) {
    return client.client().isHost() ? client.client().address().toString() : client.client().toString();
  }

  private static String text(List<ClientEntry> clients) {
    Table table = new Table("client", "port", "server", "address", "remembered for");
    for (ClientEntry client : clients) {
      table.row(
          name(client),
          client.port() == 0 ? "" : client.port(),
          client.server() == null ? "" : client.server(),
          client.address(),
          client.remaining().toSeconds() + "s");
    }
    return table.toString();
  }
}

package io.lb4j.examples.control;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.ServerControl;
import io.lb4j.examples.CommandException;
import io.lb4j.schedule.Candidate;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.function.Consumer;

/**
 * What changes a single server: its activity and its weight. Kept until the file is applied again. Owned by the control
 * thread.
 */
final class ServerCommands {
  private final LoadBalancer balancer;

  /** A server by the name of its service and its own. */
  private record Name(String service, String server) {}

  ServerCommands(LoadBalancer balancer) {
    this.balancer = balancer;
  }

  void addTo(Commands commands) {
    commands.add("online", (request, exchange) -> change(request, ServerControl::online), "server");
    commands.add("drain", (request, exchange) -> change(request, ServerControl::drain), "server");
    commands.add("offline", (request, exchange) -> change(request, ServerControl::offline), "server");
    commands.add("standby", (request, exchange) -> change(request, ServerControl::standby), "server");
    commands.add("weight", (request, exchange) -> weight(request), "server", "weight");
  }

  private Reply change(Request request, Consumer<ServerControl> change) throws CommandException {
    String wanted = request.text("server");
    Name name = name(wanted);
    change.accept(balancer.service(name.service()).realServer(name.server()));
    return Reply.done(wanted + ": " + request.command());
  }

  private Reply weight(Request request) throws CommandException {
    int weight = (int) request.number("weight", 0, Candidate.MAX_WEIGHT);
    String wanted = request.text("server");
    Name name = name(wanted);
    balancer.service(name.service()).realServer(name.server()).weight(weight);
    return Reply.done(wanted + ": weight " + weight);
  }

  /** Reads SERVICE/SERVER, whichever of both has a slash in its name. */
  private Name name(String text) throws CommandException {
    for (VirtualService service : balancer.services()) {
      for (RealServer server : service.servers()) {
        if (text.equals(service.name() + "/" + server.name())) {
          return new Name(service.name(), server.name());
        }
      }
    }
    throw new CommandException(
        "there is no server '" + Request.shown(text) + "'; write SERVICE/SERVER as 'servers' lists them");
  }
}

package io.lb4j.examples.control;

import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.report.Table;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.FlowPage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code flows} and {@code end-flows}: those that a filter means, page by page. Owned by the control thread. */
final class FlowCommands {
  private static final int MOST_ON_A_PAGE = 1000;
  private static final String[] FILTER = {
    "service", "server", "client", "destination", "port", "protocol", "state", "kind", "idle-at-least", "idle-at-most"
  };
  private static final Map<String, Integer> PROTOCOLS = Map.of("icmp", 1, "tcp", 6, "udp", 17, "icmpv6", 58);

  private final LoadBalancer balancer;

  FlowCommands(LoadBalancer balancer) {
    this.balancer = balancer;
  }

  void addTo(Commands commands) {
    commands.add("flows", (request, exchange) -> list(request), with("position", "limit"));
    commands.add("end-flows", (request, exchange) -> end(request), with("all"));
  }

  private static String[] with(String... more) {
    return Stream.of(FILTER, more).flatMap(Stream::of).toArray(String[]::new);
  }

  private Reply list(Request request) throws CommandException {
    FlowPage page = page(request);
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("flows", page.flows().stream().map(FlowCommands::tree).toList());
    if (!page.isLast()) {
      tree.put(Reply.NEXT, page.next());
    }
    return new Reply(tree, text(page.flows()));
  }

  /** The lower half of a position is a place in a table, where the balancer looks without asking what there is. */
  private FlowPage page(Request request) throws CommandException {
    long position = request.number("position", 0, 0, Long.MAX_VALUE);
    int limit = (int) request.number("limit", MOST_ON_A_PAGE, 1, MOST_ON_A_PAGE);
    FlowFilter filter = filter(request);
    try {
      if ((int) position >= 0) {
        return balancer.flows(filter, position, limit);
      }
    } catch (IllegalArgumentException e) {
      // of a worker that there is not
    }
    throw new CommandException("'position' has to be 'next' of the answer before");
  }

  private Reply end(Request request) throws CommandException {
    FlowFilter filter = filter(request);
    if (filter.isAll() != request.flag("all")) {
      throw new CommandException("either name which flows, or 'all' of them");
    }
    long ended = filter.isAll() ? balancer.endAllFlows() : balancer.endFlows(filter);
    return new Reply(Map.of("ended", ended), ended + " ended\n");
  }

  private static FlowFilter filter(Request request) throws CommandException {
    return new FlowFilter(
        request.constants("kind", FlowRecord.Kind.class),
        request.find("service"),
        request.find("server"),
        protocol(request),
        request.constants("state", FlowState.class),
        request.prefix("client"),
        request.prefix("destination"),
        (int) request.number("port", 0, 1, 65535),
        request.duration("idle-at-least"),
        request.duration("idle-at-most"));
  }

  private static int protocol(Request request) throws CommandException {
    Optional<String> name = request.find("protocol");
    if (name.isPresent() && !PROTOCOLS.containsKey(name.get())) {
      throw new CommandException("'protocol' has to be of: icmp, icmpv6, tcp, udp");
    }
    return name.map(PROTOCOLS::get).orElse(0);
  }

  private static String protocol(int number) {
    return PROTOCOLS.entrySet().stream()
        .filter(entry -> entry.getValue() == number)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(Integer.toString(number));
  }

  private static Map<String, Object> tree(FlowEntry flow) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("kind", Request.word(flow.kind()));
    tree.put("protocol", protocol(flow.protocol()));
    tree.put("source", flow.source().toString());
    tree.put("sourcePort", flow.sourcePort());
    tree.put("destination", flow.destination().toString());
    tree.put("destinationPort", flow.destinationPort());
    if (flow.translated() != null) {
      tree.put("translated", flow.translated().toString());
      tree.put("translatedPort", flow.translatedPort());
    }
    if (flow.service() != null) {
      tree.put("service", flow.service());
      tree.put("server", flow.server());
    }
    tree.put("state", Request.word(flow.state()));
    tree.put("idleMs", flow.idle().toMillis());
    tree.put("worker", flow.worker());
    return tree;
  }

  private static String text(List<FlowEntry> flows) {
    Table table = new Table("protocol", "source", "destination", "translated", "server", "state", "idle");
    for (FlowEntry flow : flows) {
      table.row(
          protocol(flow.protocol()),
          flow.source() + " " + flow.sourcePort(),
          flow.destination() + " " + flow.destinationPort(),
          flow.translated() == null ? "" : flow.translated() + " " + flow.translatedPort(),
          flow.service() == null ? "" : flow.service() + "/" + flow.server(),
          Request.word(flow.state()),
          flow.idle().toSeconds() + "s");
    }
    return table.toString();
  }
}

package io.lb4j.examples.control;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Rates;
import io.lb4j.core.Rates.Active;
import io.lb4j.core.Rates.FlowRate;
import io.lb4j.core.Rates.InterfaceRates;
import io.lb4j.core.Rates.LinkRate;
import io.lb4j.core.Rates.ServerRates;
import io.lb4j.core.Rates.ServiceRates;
import io.lb4j.core.Rates.Windows;
import io.lb4j.examples.report.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** {@code rates}: how fast the counts grow. Owned by the control thread. */
final class RateCommands {
  private final LoadBalancer balancer;

  RateCommands(LoadBalancer balancer) {
    this.balancer = balancer;
  }

  void addTo(Commands commands) {
    commands.add("rates", (request, exchange) -> rates());
  }

  private Reply rates() {
    Rates rates = balancer.rates();
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("interfaces", windows(rates.interfaces(), RateCommands::tree));
    tree.put("services", windows(rates.services(), RateCommands::tree));
    tree.put("active", tree(rates.active()));
    tree.put("byInterface", rates.byInterface().stream().map(RateCommands::tree).toList());
    tree.put("byService", rates.byService().stream().map(RateCommands::tree).toList());
    return new Reply(tree, text(rates));
  }

  private static <T> Map<String, Object> windows(Windows<T> windows, Function<T, Map<String, Object>> tree) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("1s", tree.apply(windows.second()));
    members.put("10s", tree.apply(windows.tenSeconds()));
    members.put("60s", tree.apply(windows.minute()));
    members.put("peak", tree.apply(windows.peak()));
    return members;
  }

  private static Map<String, Object> tree(LinkRate rate) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("received", rate.received());
    tree.put("receivedBytes", rate.receivedBytes());
    tree.put("transmitted", rate.transmitted());
    tree.put("transmittedBytes", rate.transmittedBytes());
    return tree;
  }

  private static Map<String, Object> tree(FlowRate rate) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("frames", rate.frames());
    tree.put("bytes", rate.bytes());
    tree.put("newFlows", rate.newFlows());
    tree.put("replyFrames", rate.replyFrames());
    tree.put("replyBytes", rate.replyBytes());
    return tree;
  }

  private static Map<String, Object> tree(Active active) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("now", active.now());
    tree.put("peak", active.peak());
    return tree;
  }

  private static Map<String, Object> tree(InterfaceRates link) {
    return named(link.name(), "rates", windows(link.rates(), RateCommands::tree));
  }

  private static Map<String, Object> tree(ServiceRates service) {
    Map<String, Object> tree = named(service.name(), "rates", windows(service.rates(), RateCommands::tree));
    tree.put("active", tree(service.active()));
    tree.put("servers", service.servers().stream().map(RateCommands::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(ServerRates server) {
    Map<String, Object> tree = named(server.name(), "rates", windows(server.rates(), RateCommands::tree));
    tree.put("active", tree(server.active()));
    return tree;
  }

  private static Map<String, Object> named(String name, String key, Object value) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("name", name);
    tree.put(key, value);
    return tree;
  }

  private static String text(Rates rates) {
    Table links = new Table("interface, per second", "1 s", "10 s", "60 s", "peak");
    for (InterfaceRates link : rates.byInterface()) {
      row(links, link.name() + " frames in", link.rates(), LinkRate::received);
      row(links, link.name() + " bytes in", link.rates(), LinkRate::receivedBytes);
      row(links, link.name() + " frames out", link.rates(), LinkRate::transmitted);
      row(links, link.name() + " bytes out", link.rates(), LinkRate::transmittedBytes);
    }
    Table services = new Table("service, per second", "1 s", "10 s", "60 s", "peak");
    for (ServiceRates service : rates.byService()) {
      rows(services, service.name(), service.rates());
      service.servers().forEach(server -> rows(services, service.name() + "/" + server.name(), server.rates()));
    }
    Table active = new Table("active flows", "now", "peak");
    for (ServiceRates service : rates.byService()) {
      active.row(service.name(), service.active().now(), service.active().peak());
    }
    return List.of(links, services, active).stream().map(Table::toString).reduce((a, b) -> a + "\n" + b).orElseThrow();
  }

  private static void rows(Table table, String name, Windows<FlowRate> rates) {
    row(table, name + " new flows", rates, FlowRate::newFlows);
    row(table, name + " frames", rates, FlowRate::frames);
    row(table, name + " bytes", rates, FlowRate::bytes);
    if (rates.peak().replyFrames() > 0) {
      row(table, name + " reply frames", rates, FlowRate::replyFrames);
      row(table, name + " reply bytes", rates, FlowRate::replyBytes);
    }
  }

  private static <T> void row(Table table, String name, Windows<T> windows, ToDoubleFunction<T> rate) {
    table.row(
        name,
        number(rate.applyAsDouble(windows.second())),
        number(rate.applyAsDouble(windows.tenSeconds())),
        number(rate.applyAsDouble(windows.minute())),
        number(rate.applyAsDouble(windows.peak())));
  }

  private static String number(double rate) {
    return String.format(Locale.ROOT, rate < 10 ? "%.1f" : "%.0f", rate);
  }
}

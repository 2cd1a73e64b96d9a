package io.lb4j.examples.config;

import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Outbound;
import io.lb4j.gateway.OutboundRule;
import io.lb4j.gateway.Pooling;
import io.lb4j.gateway.UnsolicitedSyn;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.PortRange;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A configuration in canonical form: keys in one order, defaults left out. Immutable. */
final class CanonicalText {
  private final Declarations declared;

  CanonicalText(Declarations declared) {
    this.declared = declared;
  }

  @Override
  public String toString() {
    Map<String, Object> top = new LinkedHashMap<>();
    top.put("interfaces", declared.interfaces().stream().map(CanonicalText::networkInterface).toList());
    putUnless(top, "routes", routes(), List.of());
    putUnless(top, "neighbors", neighbors(), Map.of());
    top.put("services", declared.services().stream().map(service -> new CanonicalService(service).tree()).toList());
    declared.outbound().ifPresent(outbound -> outbound(top, outbound));
    putUnless(top, "flow-table", flowTable(), Map.of());
    putUnless(top, "workers", declared.workers(), 1);
    putUnless(top, "wait-strategy", waitStrategy(declared.waiting()), Value.keyOf(WaitStrategy.PARK));
    declared.seed().ifPresent(seed -> top.put("seed", seed));
    putUnless(top, "echo", Value.keyOf(declared.echo()), Value.keyOf(EchoPolicy.ANSWER));
    putUnless(top, "unserved", Value.keyOf(declared.unserved()), Value.keyOf(UnservedPolicy.DROP));
    putUnless(top, "announce", announce(declared.announcements()), Map.of());
    putUnless(top, "role", Value.keyOf(declared.role()), Value.keyOf(Role.ACTIVE));
    return YamlText.document(top);
  }

  static void putUnless(Map<String, Object> tree, String key, Object value, Object otherwise) {
    if (!value.equals(otherwise)) {
      tree.put(key, value instanceof Map<?, ?> map && isInline(key) ? line(map) : value);
    }
  }

  /** Neighbours are many; other mappings are short. */
  private static boolean isInline(String key) {
    return !key.equals("neighbors");
  }

  private static YamlText.Line line(Map<?, ?> map) {
    Map<String, Object> entries = new LinkedHashMap<>();
    map.forEach((key, value) -> entries.put(key.toString(), value));
    return new YamlText.Line(entries);
  }

  private static Map<String, Object> networkInterface(InterfaceDeclaration link) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("name", YamlText.text(link.name()));
    link.mac().ifPresent(mac -> tree.put("mac", YamlText.text(mac)));
    putUnless(tree, "addresses", link.addresses().stream().map(YamlText::text).toList(), List.of());
    putUnless(tree, "gateway-addresses", link.gatewayAddresses().stream().map(YamlText::text).toList(), List.of());
    InterfaceDeclaration.Live defaults = InterfaceDeclaration.Live.DEFAULTS;
    putUnless(tree, "io", Value.keyOf(link.live().io()), Value.keyOf(defaults.io()));
    putUnless(tree, "latency", Value.keyOf(link.live().latency()), Value.keyOf(defaults.latency()));
    putUnless(tree, "queues", link.live().queues(), defaults.queues());
    putUnless(tree, "mtu", link.mtu(), ConfigurationReader.DEFAULT_MTU);
    return tree;
  }

  private List<YamlText.Line> routes() {
    return declared.routes().stream()
        .map(route -> line(ordered("to", YamlText.text(route.to()), "via", YamlText.text(route.via()))))
        .toList();
  }

  private static Map<String, Object> ordered(String key, Object value, String second, Object other) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put(key, value);
    tree.put(second, other);
    return tree;
  }

  private Map<String, Object> neighbors() {
    Map<String, Object> tree = new LinkedHashMap<>();
    declared.neighbors().forEach((address, mac) -> tree.put(YamlText.text(address), YamlText.text(mac)));
    return tree;
  }

  private Map<String, Object> flowTable() {
    Map<String, Object> tree = new LinkedHashMap<>();
    putUnless(tree, "capacity", declared.flowCapacity(), ConfigurationReader.DEFAULT_FLOW_CAPACITY);
    putUnless(
        tree, "overflow", Value.keyOf(declared.overflow()), Value.keyOf(FlowTableOverflow.EVICT_EMBRYONIC));
    return tree;
  }

  /** One word where all parts are the same. */
  private static Object waitStrategy(WaitStrategies waiting) {
    if (waiting.equals(WaitStrategies.all(waiting.work()))) {
      return Value.keyOf(waiting.work());
    }
    Map<String, Object> tree = new LinkedHashMap<>();
    String otherwise = Value.keyOf(WaitStrategy.PARK);
    putUnless(tree, "receive", Value.keyOf(waiting.receive()), otherwise);
    putUnless(tree, "work", Value.keyOf(waiting.work()), otherwise);
    putUnless(tree, "transmit", Value.keyOf(waiting.transmit()), otherwise);
    return tree;
  }

  private static void outbound(Map<String, Object> top, Outbound outbound) {
    putUnless(top, "outbound", outbound.rules().stream().map(CanonicalText::rule).toList(), List.of());
    putUnless(top, "filtering", filtering(outbound), OutboundReader.keyOf(Filtering.ADDRESS_DEPENDENT));
    putUnless(top, "pooling", Value.keyOf(outbound.pooling()), Value.keyOf(Pooling.PAIRED));
    putUnless(top, "unsolicited-syn", Value.keyOf(outbound.unsolicitedSyn()), Value.keyOf(UnsolicitedSyn.REJECT));
    putUnless(top, "inbound-refresh", outbound.inboundRefresh(), false);
    putUnless(top, "outbound-timeouts", timeouts(outbound), Map.of());
  }

  private static String filtering(Outbound outbound) {
    return OutboundReader.keyOf(outbound.filtering());
  }

  private static YamlText.Line rule(OutboundRule rule) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("from", YamlText.text(rule.from()));
    if (!rule.isRouted()) {
      tree.put("nat", YamlText.oneOrList(rule.pool().stream().map(YamlText::text).toList()));
      PortRange ports = new PortRange(rule.firstPort(), rule.lastPort());
      putUnless(tree, "ports", ports.toString(), PortRange.ANY.toString());
    }
    return line(tree);
  }

  private static Map<String, Object> timeouts(Outbound outbound) {
    Map<String, Object> tree = new LinkedHashMap<>();
    Map<String, Object> defaults = timeouts("outbound-timeouts", Outbound.none().timeouts());
    timeouts("outbound-timeouts", outbound.timeouts())
        .forEach((key, value) -> putUnless(tree, key, value, defaults.get(key)));
    Duration icmp = outbound.icmpTimeout();
    if (!icmp.equals(Outbound.none().icmpTimeout())) {
      tree.put("icmp", YamlText.duration("outbound-timeouts: icmp", icmp));
    }
    return tree;
  }

  /** All time-outs by their keys. */
  static Map<String, Object> timeouts(String setting, FlowTimeouts timeouts) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("syn", YamlText.duration(setting, timeouts.syn()));
    tree.put("established", YamlText.duration(setting, timeouts.established()));
    tree.put("fin", YamlText.duration(setting, timeouts.fin()));
    tree.put("reset", YamlText.duration(setting, timeouts.reset()));
    tree.put("udp", YamlText.duration(setting, timeouts.udp()));
    return tree;
  }

  private static Map<String, Object> announce(AnnouncementSettings settings) {
    AnnouncementSettings defaults = AnnouncementSettings.defaults();
    Map<String, Object> tree = new LinkedHashMap<>();
    if (!settings.enabled()) {
      tree.put("enabled", false);
      return tree;
    }
    putUnless(tree, "period", nanoseconds(settings.refreshNs()), nanoseconds(defaults.refreshNs()));
    putUnless(tree, "count", settings.announcements(), defaults.announcements());
    putUnless(
        tree, "interval", nanoseconds(settings.announceIntervalNs()), nanoseconds(defaults.announceIntervalNs()));
    putUnless(tree, "probes", settings.arpProbes(), defaults.arpProbes());
    putUnless(tree, "probe-wait", nanoseconds(settings.probeWaitNs()), nanoseconds(defaults.probeWaitNs()));
    return tree;
  }

  private static String nanoseconds(long time) {
    return YamlText.duration("announce", Duration.ofNanos(time));
  }
}

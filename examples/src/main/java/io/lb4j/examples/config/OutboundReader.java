package io.lb4j.examples.config;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Outbound;
import io.lb4j.gateway.Pooling;
import io.lb4j.gateway.UnsolicitedSyn;
import io.lb4j.service.PortRange;
import io.lb4j.settings.ConfigurationError;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads {@code outbound} and the settings of address translation. Owned by one thread. */
final class OutboundReader {
  static final Keys RULE = Keys.of("from", "nat", "ports");
  static final Keys TIMEOUTS = Keys.of("syn", "established", "fin", "reset", "udp", "icmp");
  private static final Map<String, Filtering> FILTERINGS =
      Map.of(
          "eif", Filtering.ENDPOINT_INDEPENDENT,
          "adf", Filtering.ADDRESS_DEPENDENT,
          "apdf", Filtering.ADDRESS_AND_PORT_DEPENDENT);

  /** The keys of the top level that are read here. */
  static final List<String> KEYS =
      List.of("outbound", "filtering", "pooling", "unsolicited-syn", "inbound-refresh", "outbound-timeouts");

  private final SettingLines lines;
  private final Outbound.Builder builder = Outbound.builder();

  OutboundReader(SettingLines lines) {
    this.lines = lines;
  }

  /** What the file says, or nothing when it says no more than the defaults. */
  Optional<Outbound> read(Section top) {
    top.with("outbound", rules -> rules.each(this::rule));
    top.with("filtering", value -> builder.filtering(filtering(value)));
    top.with("pooling", value -> builder.pooling(value.oneOf(Pooling.class)));
    top.with("unsolicited-syn", value -> builder.unsolicitedSyn(value.oneOf(UnsolicitedSyn.class)));
    top.with("inbound-refresh", value -> builder.inboundRefresh(value.yes()));
    top.with("outbound-timeouts", this::timeouts);
    return Optional.of(builder.build()).filter(outbound -> !outbound.equals(Outbound.none()));
  }

  private void rule(Value entry) {
    String label = entry.peek("from").map(Value::printable).orElse("at line " + entry.line());
    Section section = entry.section("outbound " + label, RULE);
    lines.add(section);
    IpPrefix from = section.require("from", value -> IpPrefix.of(value.text()));
    List<String> pool = section.get("nat", null, OutboundReader::pool);
    PortRange ports = section.get("ports", PortRange.ANY, value -> ports(value, section.has("nat")));
    if (from != null && !(pool == null && section.has("nat"))) {
      lines.add("outbound " + from, section.line());
      section.lines().forEach((key, line) -> lines.add("outbound " + from + ": " + key, line));
      section.guardBuild(lines, () -> add(from.toString(), pool, ports));
    }
  }

  private void add(String from, List<String> pool, PortRange ports) {
    if (pool == null) {
      builder.route(from);
    } else {
      builder.natPorts(from, ports.first(), ports.last(), pool.toArray(String[]::new));
    }
  }

  private static List<String> pool(Value value) {
    List<String> pool = addresses(value);
    if (pool.isEmpty()) {
      throw value.refuse(ConfigurationError.MISSING, "a pool has an address; without 'nat' packets are routed");
    }
    return pool;
  }

  /** An address or a list of them, as text that can be read as such. */
  static List<String> addresses(Value value) {
    return value.listOrOne().stream().map(Value::text).peek(IpAddress::of).toList();
  }

  private static PortRange ports(Value value, boolean translated) {
    if (!translated) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "without 'nat' packets are routed and keep their ports");
    }
    return PortRange.of(value.text());
  }

  static String keyOf(Filtering filtering) {
    return FILTERINGS.entrySet().stream().filter(e -> e.getValue() == filtering).findFirst().orElseThrow().getKey();
  }

  private static Filtering filtering(Value value) {
    Filtering filtering = FILTERINGS.get(value.text());
    if (filtering == null) {
      throw value.refuse(ConfigurationError.NOT_READABLE, "one of eif, adf, apdf is expected");
    }
    return filtering;
  }

  private void timeouts(Value value) {
    Section section = value.section(TIMEOUTS);
    lines.add(section);
    builder.timeouts(timeouts(section, Outbound.none().timeouts()));
    section.with("icmp", timeout -> builder.icmpTimeout(timeout.duration()));
  }

  /** The time-outs of a section; others are the defaults. */
  static FlowTimeouts timeouts(Section section, FlowTimeouts defaults) {
    FlowTimeouts[] t = {defaults};
    section.with("syn", v -> t[0] = of(v.duration(), t[0].established(), t[0].fin(), t[0].reset(), t[0].udp()));
    section.with("established", v -> t[0] = of(t[0].syn(), v.duration(), t[0].fin(), t[0].reset(), t[0].udp()));
    section.with("fin", v -> t[0] = of(t[0].syn(), t[0].established(), v.duration(), t[0].reset(), t[0].udp()));
    section.with("reset", v -> t[0] = of(t[0].syn(), t[0].established(), t[0].fin(), v.duration(), t[0].udp()));
    section.with("udp", v -> t[0] = of(t[0].syn(), t[0].established(), t[0].fin(), t[0].reset(), v.duration()));
    return t[0];
  }

  private static FlowTimeouts of(Duration syn, Duration established, Duration fin, Duration reset, Duration udp) {
    return new FlowTimeouts(syn, established, fin, reset, udp);
  }
}

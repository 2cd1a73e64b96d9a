package io.lb4j.examples.config;

import io.lb4j.address.IpPrefix;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.gateway.Gateway;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Scheduler;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import java.util.List;
import java.util.Optional;

/** Reads one entry of {@code services}. Owned by one thread. */
final class ServiceReader {
  static final Keys SERVICE =
      Keys.of(
              "name", "vip", "port", "protocol", "mode", "full-nat", "proxy-protocol", "timeouts", "enabled", "servers")
          .and(SchedulingReader.KEYS)
          .and(PolicyReader.KEYS)
          .and(MonitorReader.KEYS)
          .refusing(ConfigurationError.LAYER_7, Wishes.LAYER_7, Wishes.LAYER_7_KEYS)
          .refusing("it is for the whole balancer, at the top of the file", "filtering");
  static final Keys TIMEOUTS = Keys.of("syn", "established", "fin", "reset", "udp");

  private final SettingLines lines;
  private final PolicyReader policies;
  private final MonitorReader monitors;
  private final ServerReader servers;

  ServiceReader(SettingLines lines) {
    this.lines = lines;
    this.policies = new PolicyReader(lines);
    this.monitors = new MonitorReader(lines);
    this.servers = new ServerReader(lines, policies, monitors);
  }

  /** The service, or nothing when a part of it was refused and noted. */
  Optional<VirtualService> read(Value entry) {
    Section section = entry.section("service " + nameOf(entry), SERVICE);
    lines.add(section);
    String name = section.require("name", Value::name);
    Protocol protocol = section.require("protocol", ServiceReader::protocol);
    PortRange ports = section.require("port", value -> PortRange.of(value.text()));
    ForwarderProvider method = method(section);
    List<IpPrefix> vips = section.require("vip", ServiceReader::vips);
    Scheduler scheduler = SchedulingReader.scheduler(section);
    SourceIpPersistence persistence = section.get("persistence", null, SchedulingReader::persistence);
    FlowTimeouts timeouts = method == null ? null : section.get("timeouts", null, value -> timeouts(value, method));
    boolean enabled = section.get("enabled", true, Value::yes);
    if (name == null || protocol == null || ports == null || method == null || vips == null) {
      return Optional.empty();
    }
    VirtualServiceBuilder builder = VirtualService.of(protocol, ports).named(name).forwarding(method);
    vips.forEach(builder::vip);
    builder.scheduler(scheduler).persistence(persistence).timeouts(timeouts).enabled(enabled);
    policies.read(section, builder);
    builder.monitors(monitors.monitors(section).orElseGet(() -> MonitorReader.defaults(protocol, ports)));
    section.with("observation", value -> builder.observation(monitors.observation(value).orElse(null)));
    section.with("watermark", value -> builder.watermark(monitors.watermark(value)));
    section.require("servers", value -> servers(value, builder, section));
    VirtualService[] built = new VirtualService[1];
    section.guardBuild(lines, () -> built[0] = builder.build());
    return Optional.ofNullable(built[0]);
  }

  static String nameOf(Value entry) {
    return entry.peek("name").map(Value::printable).orElse("at line " + entry.line());
  }

  /** The method with its own settings; null when a part of it was refused. */
  private static ForwarderProvider method(Section section) {
    ForwarderProvider mode = section.require("mode", ServiceReader::mode);
    if (mode instanceof Gateway plain) {
      Gateway gateway = section.get("full-nat", plain, ServiceReader::fullNat);
      boolean refused = section.has("full-nat") && gateway == plain;
      return refused ? plain : section.get("proxy-protocol", gateway, value -> proxyProtocol(value, gateway));
    }
    for (String key : List.of("full-nat", "proxy-protocol")) {
      section.with(key, value -> refuseWithoutGateway(value, mode));
    }
    return mode;
  }

  private static Protocol protocol(Value value) {
    Wishes.checkProtocol(value);
    return value.oneOf(Protocol.class);
  }

  private static ForwarderProvider mode(Value value) {
    Wishes.checkMode(value);
    return switch (value.text()) {
      case "dsr" -> DirectServerReturn.create();
      case "gateway" -> Gateway.create();
      default -> throw value.refuse(ConfigurationError.NOT_READABLE, "one of dsr, gateway is expected");
    };
  }

  private static Gateway fullNat(Value value) {
    List<String> addresses = OutboundReader.addresses(value);
    if (addresses.isEmpty()) {
      throw value.refuse(ConfigurationError.MISSING, "full NAT needs an address to send from");
    }
    return Gateway.fullNat(addresses.toArray(String[]::new));
  }

  private static Gateway proxyProtocol(Value value, Gateway gateway) {
    if (!value.text().equals("v2")) {
      throw value.refuse(ConfigurationError.NOT_READABLE, "v2 is expected");
    }
    return gateway.withProxyProtocol();
  }

  private static void refuseWithoutGateway(Value value, ForwarderProvider mode) {
    if (mode != null) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "mode " + mode.name() + " does not translate addresses");
    }
  }

  private static List<IpPrefix> vips(Value value) {
    List<IpPrefix> vips = value.listOrOne().stream().map(Value::text).map(IpPrefix::of).toList();
    if (vips.isEmpty()) {
      throw value.refuse(ConfigurationError.MISSING, "a virtual address is needed");
    }
    return vips;
  }

  private static FlowTimeouts timeouts(Value value, ForwarderProvider method) {
    return OutboundReader.timeouts(value.section(TIMEOUTS), method.timeouts());
  }

  private List<Value> servers(Value value, VirtualServiceBuilder builder, Section service) {
    value.each(entry -> servers.read(entry, builder, service));
    return value.list();
  }
}

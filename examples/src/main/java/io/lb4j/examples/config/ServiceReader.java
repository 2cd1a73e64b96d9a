package io.lb4j.examples.config;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.gateway.Gateway;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Activity;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads one entry of {@code services}. Owned by one thread. */
final class ServiceReader {
  private static final String LATER = "this version does not have the feature";

  private static final Keys SERVICE =
      Keys.of(
              "name", "vip", "port", "protocol", "mode", "full-nat", "proxy-protocol", "scheduler", "hash",
              "persistence", "timeouts", "enabled", "drain", "monitor", "servers")
          .refusing("it is for the whole balancer, at the top of the file", "filtering")
          .refusing(
              LATER, "max-connections", "monitors", "group", "allow", "deny", "overflow", "when-all-down", "tier",
              "slow-start", "latency", "role");
  private static final Keys SERVER =
      Keys.of("name", "address", "port", "weight", "activity")
          .refusing(LATER, "max-connections", "monitor", "monitors", "slow-start", "tier", "group", "latency");
  private static final Keys PERSISTENCE = Keys.of("timeout", "prefix4", "prefix6", "capacity");
  private static final Keys TIMEOUTS = Keys.of("syn", "established", "fin", "reset", "udp");
  private static final Keys MONITOR =
      Keys.of("type").refusing("there is no monitor that would use it", "interval", "timeout", "in", "out", "port");

  private static final Set<String> LATER_SCHEDULERS = Set.of("sed", "nq", "p2c", "fastest");
  private static final Set<String> HASHING_SCHEDULERS = Set.of("sh", "maglev");
  private static final Set<String> MONITORS = Set.of("tcp", "ping", "udp", "http", "dsr");
  private static final Set<String> DRAINS = Set.of("migrate-visitors", "retire-sessions");

  private final SettingLines lines;

  ServiceReader(SettingLines lines) {
    this.lines = lines;
  }

  /** The service, or nothing when a part of it was refused and noted. */
  Optional<VirtualService> read(Value entry) {
    String name = nameOf(entry);
    Section section = entry.section("service " + name, SERVICE);
    lines.add(section);
    section.require("name", Value::text);
    Protocol protocol = section.require("protocol", value -> value.oneOf(Protocol.class));
    PortRange ports = section.require("port", value -> PortRange.of(value.text()));
    ForwarderProvider method = method(section);
    List<IpPrefix> vips = section.require("vip", ServiceReader::vips);
    section.with("drain", ServiceReader::drain);
    section.with("monitor", ServiceReader::monitor);
    Scheduler scheduler = scheduler(section);
    SourceIpPersistence persistence = section.get("persistence", null, ServiceReader::persistence);
    FlowTimeouts timeouts = method == null ? null : section.get("timeouts", null, value -> timeouts(value, method));
    boolean enabled = section.get("enabled", true, Value::yes);
    if (protocol == null || ports == null || method == null || vips == null) {
      return Optional.empty();
    }
    VirtualServiceBuilder builder = VirtualService.of(protocol, ports).named(name).forwarding(method);
    vips.forEach(builder::vip);
    builder.scheduler(scheduler).persistence(persistence).timeouts(timeouts).enabled(enabled);
    section.require("servers", servers -> servers(servers, builder, section));
    VirtualService[] built = new VirtualService[1];
    section.guardBuild(lines, () -> built[0] = builder.build());
    return Optional.ofNullable(built[0]);
  }

  private static String nameOf(Value entry) {
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

  private static ForwarderProvider mode(Value value) {
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

  private static void drain(Value value) {
    String text = value.text();
    if (DRAINS.contains(text)) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "this version drains persistence-driven only");
    }
    if (!text.equals("persistence-driven")) {
      throw value.refuse(ConfigurationError.NOT_READABLE, "persistence-driven is expected");
    }
  }

  private static void monitor(Value value) {
    // The type is looked at first: where it is refused, its parameters need no finding of their own.
    String type = value.peek("type").orElse("");
    if (MONITORS.contains(type)) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "this version does not have the monitor '" + type + "'");
    }
    value.section(MONITOR).with("type", text -> {
      if (!text.text().equals("none")) {
        throw text.refuse(ConfigurationError.NOT_READABLE, "none is expected");
      }
    });
  }

  private static Scheduler scheduler(Section section) {
    String name = section.get("scheduler", "wlc", ServiceReader::schedulerName);
    HashInputs inputs = section.get("hash", HashInputs.NONE, value -> hash(value, name));
    if (inputs.isEmpty()) {
      return Schedulers.named(name).orElseThrow();
    }
    return name.equals("sh") ? Schedulers.sourceHash(inputs) : Schedulers.maglev(inputs);
  }

  private static String schedulerName(Value value) {
    String name = value.text();
    if (LATER_SCHEDULERS.contains(name)) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "this version does not have the scheduler");
    }
    if (Schedulers.named(name).isEmpty()) {
      String names = String.join(", ", Schedulers.names());
      throw value.refuse(ConfigurationError.NOT_READABLE, "one of " + names + " is expected");
    }
    return name;
  }

  private static HashInputs hash(Value value, String scheduler) {
    if (!HASHING_SCHEDULERS.contains(scheduler)) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "the scheduler " + scheduler + " does not hash");
    }
    EnumSet<HashInput> parts = EnumSet.noneOf(HashInput.class);
    for (Value part : value.listOrOne()) {
      if (!parts.add(part.oneOf(HashInput.class))) {
        throw part.refuse(ConfigurationError.DUPLICATE_NAME, "the part is named twice");
      }
    }
    if (parts.isEmpty()) {
      throw value.refuse(ConfigurationError.MISSING, "a hash needs at least one part");
    }
    return HashInputs.of(parts.iterator().next(), parts.toArray(HashInput[]::new));
  }

  private static SourceIpPersistence persistence(Value value) {
    Section section = value.section(PERSISTENCE);
    SourceIpPersistence[] result = {SourceIpPersistence.create()};
    section.with("timeout", v -> result[0] = SourceIpPersistence.timeout(v.duration()));
    section.with("prefix4", v -> result[0] = result[0].prefixLengths(v.integer(), result[0].v6PrefixLength()));
    section.with("prefix6", v -> result[0] = result[0].prefixLengths(result[0].v4PrefixLength(), v.integer()));
    section.with("capacity", v -> result[0] = result[0].capacity(v.number()));
    return result[0];
  }

  private static FlowTimeouts timeouts(Value value, ForwarderProvider method) {
    return OutboundReader.timeouts(value.section(TIMEOUTS), method.timeouts());
  }

  private List<Value> servers(Value value, VirtualServiceBuilder builder, Section service) {
    value.each(entry -> server(entry, builder, service));
    return value.list();
  }

  private void server(Value entry, VirtualServiceBuilder builder, Section service) {
    Section section = entry.section(service.name() + ": server " + nameOf(entry), SERVER);
    lines.add(section);
    String name = section.require("name", Value::text);
    IpAddress address = section.require("address", value -> IpAddress.of(value.text()));
    RealServer.Options options = new RealServer.Options();
    section.with("port", value -> options.port(value.integer(1, 65535)));
    section.with("weight", value -> options.weight(value.integer()));
    section.with("activity", value -> options.activity(activity(value)));
    if (name != null && address != null) {
      RealServer[] server = new RealServer[1];
      section.guardBuild(lines, () -> server[0] = options.build(name, address));
      if (server[0] != null) {
        builder.realServer(server[0]);
      }
    }
  }

  private static Activity activity(Value value) {
    if (value.text().equals("standby")) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "this version does not have standby servers");
    }
    return value.oneOf(Activity.class);
  }
}

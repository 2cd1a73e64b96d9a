package io.lb4j.examples.config;

import io.lb4j.address.IpPrefix;
import io.lb4j.service.AccessList;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.ServicePolicies;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import java.util.List;

/** Reads what an operator decides about a service's flows, beside where they go. Owned by one thread. */
final class PolicyReader {
  static final Keys LIMIT = Keys.of("limit", "resume-at");
  static final Keys FATES = Keys.of("tcp", "udp");

  /** The keys of a service that are read here. */
  static final List<String> KEYS =
      List.of(
          "allow", "deny", "max-connections", "overflow", "drain", "when-all-down", "when-down", "when-removed",
          "one-packet", "adopt", "reset-on-idle", "slow-start", "group");

  private final SettingLines lines;

  PolicyReader(SettingLines lines) {
    this.lines = lines;
  }

  /** What the section says; the rest of the builder stays as it is. */
  void read(Section service, VirtualServiceBuilder builder) {
    ServicePolicies defaults = ServicePolicies.DEFAULTS;
    List<IpPrefix> allow = service.get("allow", List.of(), PolicyReader::prefixes);
    List<IpPrefix> deny = service.get("deny", List.of(), PolicyReader::prefixes);
    service.guardBuild(lines, () -> builder.access(AccessList.of(allow, deny)));
    ConnectionLimit limit = service.get("max-connections", defaults.limit(), this::limit);
    builder.maxConnections(
        limit, service.get("overflow", defaults.overflow(), value -> value.oneOf(Overflow.class)));
    service.with("drain", value -> builder.drain(value.oneOf(DrainBehavior.class)));
    service.with("when-all-down", value -> builder.whenAllDown(value.oneOf(WhenAllDown.class)));
    service.with("when-down", value -> builder.whenServerDown(fates(value, defaults.whenDown())));
    service.with("when-removed", value -> builder.whenServerRemoved(fates(value, defaults.whenRemoved())));
    service.with("one-packet", value -> builder.onePacket(value.yes()));
    service.with("adopt", value -> builder.adoptsConnections(value.yes()));
    service.with("reset-on-idle", value -> builder.resetOnIdle(value.yes()));
    service.with("slow-start", value -> builder.slowStart(value.duration()));
    service.with("group", value -> builder.group(value.name()));
  }

  private static List<IpPrefix> prefixes(Value value) {
    return value.listOrOne().stream().map(prefix -> IpPrefix.of(prefix.text())).toList();
  }

  /** A number, or a mapping of two. */
  ConnectionLimit limit(Value value) {
    if (!value.isMapping()) {
      return ConnectionLimit.of(value.integer(1, Integer.MAX_VALUE));
    }
    Section section = value.section(LIMIT);
    lines.add(section);
    Integer most = section.require("limit", number -> number.integer(1, Integer.MAX_VALUE));
    ConnectionLimit[] limit = {ConnectionLimit.NONE};
    if (most != null) {
      int resumeAt = section.get("resume-at", most - 1, Value::integer);
      section.guardBuild(lines, () -> limit[0] = new ConnectionLimit(most, resumeAt));
    }
    return limit[0];
  }

  /** One word for both protocols, or a mapping of words. */
  private LostFlows fates(Value value, LostFlows defaults) {
    if (!value.isMapping()) {
      LostFlows.Fate both = value.oneOf(LostFlows.Fate.class);
      return new LostFlows(both, both);
    }
    Section section = value.section(FATES);
    lines.add(section);
    return new LostFlows(
        section.get("tcp", defaults.tcp(), fate -> fate.oneOf(LostFlows.Fate.class)),
        section.get("udp", defaults.udp(), fate -> fate.oneOf(LostFlows.Fate.class)));
  }
}

package io.lb4j.examples.config;

import io.lb4j.address.IpAddress;
import io.lb4j.service.Activity;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualServiceBuilder;

/** Reads one entry of a service's {@code servers}. Owned by one thread. */
final class ServerReader {
  static final Keys SERVER =
      Keys.of(
          "name", "address", "port", "weight", "activity", "tier", "max-connections", "monitor", "monitors");

  private final SettingLines lines;
  private final PolicyReader policies;
  private final MonitorReader monitors;

  ServerReader(SettingLines lines, PolicyReader policies, MonitorReader monitors) {
    this.lines = lines;
    this.policies = policies;
    this.monitors = monitors;
  }

  /** Adds the server to its service, unless a part of it was refused and noted. */
  void read(Value entry, VirtualServiceBuilder builder, Section service) {
    Section section = entry.section(service.name() + ": server " + ServiceReader.nameOf(entry), SERVER);
    lines.add(section);
    String name = section.require("name", Value::name);
    IpAddress address = section.require("address", value -> IpAddress.of(value.text()));
    RealServer.Options options = new RealServer.Options();
    section.with("port", value -> options.port(value.integer(1, 65535)));
    section.with("weight", value -> options.weight(value.integer()));
    section.with("activity", value -> options.activity(value.oneOf(Activity.class)));
    section.with("tier", value -> options.tier(value.integer()));
    section.with("max-connections", value -> options.limit(policies.limit(value)));
    monitors.monitors(section).ifPresent(options::monitors);
    if (name != null && address != null) {
      RealServer[] server = new RealServer[1];
      section.guardBuild(lines, () -> server[0] = options.build(name, address));
      if (server[0] != null) {
        builder.realServer(server[0]);
      }
    }
  }
}

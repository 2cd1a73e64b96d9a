package io.lb4j.examples.config;

import static io.lb4j.examples.config.CanonicalText.putUnless;

import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.gateway.Gateway;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.LostFlows;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServicePolicies;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** A service in canonical form. Owned by one thread. */
final class CanonicalService {
  private final VirtualService service;
  private final String setting;
  private final Map<String, Object> tree = new LinkedHashMap<>();

  CanonicalService(VirtualService service) {
    this.service = service;
    this.setting = "service " + service.name();
  }

  Map<String, Object> tree() {
    tree.put("name", YamlText.text(service.name()));
    tree.put("vip", YamlText.oneOrList(service.vips().stream().map(YamlText::prefix).toList()));
    tree.put("port", service.ports());
    tree.put("protocol", service.protocol().name().toLowerCase(Locale.ROOT));
    method();
    scheduler();
    service.persistence().ifPresent(persistence -> tree.put("persistence", persistence(persistence)));
    service.timeouts().ifPresent(
        timeouts -> tree.put("timeouts", new YamlText.Line(CanonicalText.timeouts(setting + ": timeouts", timeouts))));
    putUnless(tree, "enabled", service.enabled(), true);
    policies(service.policies());
    monitors();
    tree.put("servers", service.servers().stream().map(this::server).toList());
    return tree;
  }

  private void method() {
    if (service.forwarding() instanceof Gateway gateway) {
      tree.put("mode", gateway.name());
      if (!gateway.sources().isEmpty()) {
        tree.put("full-nat", YamlText.oneOrList(gateway.sources().stream().map(YamlText::text).toList()));
      }
      if (gateway.proxyProtocol()) {
        tree.put("proxy-protocol", "v2");
      }
    } else if (service.forwarding() instanceof DirectServerReturn direct) {
      tree.put("mode", direct.name());
    } else {
      throw unknown("mode", service.forwarding().name());
    }
  }

  private void scheduler() {
    Scheduler scheduler = service.scheduler();
    Scheduler plain = Schedulers.named(scheduler.name()).orElseThrow(() -> unknown("scheduler", scheduler.name()));
    putUnless(tree, "scheduler", scheduler.name(), SchedulingReader.DEFAULT);
    if (scheduler.equals(plain)) {
      return;
    }
    HashInputs inputs = scheduler.hashInputs();
    if (inputs.isEmpty() || !SchedulingReader.named(scheduler.name(), inputs).equals(scheduler)) {
      throw unknown("scheduler", scheduler);
    }
    List<String> parts = new TreeSet<HashInput>(inputs.parts()).stream().map(Value::keyOf).toList();
    tree.put("hash", parts);
  }

  private ConfigurationException unknown(String key, Object value) {
    return new ConfigurationException(
        ConfigurationError.NOT_SUPPORTED, setting + ": " + key, value, "a file has no word for it");
  }

  private YamlText.Line persistence(SourceIpPersistence persistence) {
    SourceIpPersistence defaults = SourceIpPersistence.create();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("timeout", YamlText.duration(setting + ": persistence: timeout", persistence.timeout()));
    putUnless(line, "prefix4", persistence.v4PrefixLength(), defaults.v4PrefixLength());
    putUnless(line, "prefix6", persistence.v6PrefixLength(), defaults.v6PrefixLength());
    putUnless(line, "capacity", persistence.capacity(), defaults.capacity());
    putUnless(line, "scope", Value.keyOf(persistence.scope()), Value.keyOf(defaults.scope()));
    return new YamlText.Line(line);
  }

  private void policies(ServicePolicies policies) {
    ServicePolicies defaults = ServicePolicies.DEFAULTS;
    putUnless(tree, "allow", policies.access().allow().stream().map(YamlText::prefix).toList(), List.of());
    putUnless(tree, "deny", policies.access().deny().stream().map(YamlText::prefix).toList(), List.of());
    limit(tree, policies.limit());
    word("overflow", policies.overflow(), defaults.overflow());
    word("drain", policies.drain(), defaults.drain());
    word("when-all-down", policies.whenAllDown(), defaults.whenAllDown());
    fates("when-down", policies.whenDown(), defaults.whenDown());
    fates("when-removed", policies.whenRemoved(), defaults.whenRemoved());
    putUnless(tree, "one-packet", policies.onePacket(), defaults.onePacket());
    policies.adoption().ifPresent(adopts -> tree.put("adopt", adopts));
    putUnless(tree, "reset-on-idle", policies.resetOnIdle(), defaults.resetOnIdle());
    if (!policies.slowStart().isZero()) {
      tree.put("slow-start", YamlText.duration(setting + ": slow-start", policies.slowStart()));
    }
    policies.group().ifPresent(group -> tree.put("group", YamlText.text(group)));
  }

  private void word(String key, Enum<?> value, Enum<?> otherwise) {
    putUnless(tree, key, Value.keyOf(value), Value.keyOf(otherwise));
  }

  private void fates(String key, LostFlows fates, LostFlows defaults) {
    if (fates.equals(defaults)) {
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>();
    putUnless(line, "tcp", Value.keyOf(fates.tcp()), Value.keyOf(defaults.tcp()));
    putUnless(line, "udp", Value.keyOf(fates.udp()), Value.keyOf(defaults.udp()));
    tree.put(key, fates.tcp() == fates.udp() ? Value.keyOf(fates.tcp()) : new YamlText.Line(line));
  }

  private static void limit(Map<String, Object> tree, ConnectionLimit limit) {
    if (!limit.exists()) {
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("limit", limit.most());
    line.put("resume-at", limit.resumeAt());
    boolean plain = limit.equals(ConnectionLimit.of(limit.most()));
    tree.put("max-connections", plain ? limit.most() : new YamlText.Line(line));
  }

  private void monitors() {
    CanonicalMonitors canonical = new CanonicalMonitors(setting);
    if (!service.monitors().equals(MonitorReader.defaults(service.protocol(), service.ports()))) {
      canonical.put(tree, service.monitors());
    }
    service.observation().ifPresent(observation -> tree.put("observation", canonical.observation(observation)));
    putUnless(tree, "watermark", canonical.watermark(service.watermark()), "0");
  }

  private YamlText.Line server(RealServer server) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("name", YamlText.text(server.name()));
    line.put("address", YamlText.text(server.address()));
    putUnless(line, "port", server.port(), 0);
    putUnless(line, "weight", server.weight(), 1);
    putUnless(line, "activity", Value.keyOf(server.activity()), Value.keyOf(Activity.ONLINE));
    putUnless(line, "tier", server.tier(), 1);
    limit(line, server.limit());
    CanonicalMonitors canonical = new CanonicalMonitors(setting + ": server " + server.name());
    server.monitors().ifPresent(own -> canonical.put(line, own));
    return new YamlText.Line(line);
  }
}

package io.lb4j.examples.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.lb4j.address.IpPrefix;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.examples.CommandRun;
import io.lb4j.gateway.Gateway;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.service.AccessList;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.LostFlows;
import io.lb4j.service.LostFlows.Fate;
import io.lb4j.service.Overflow;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The keys of a service's and a server's policies: what they declare, and what is refused at which line. */
class PolicyConfigurationTest {
  private static final String BEFORE =
      """
      interfaces:
        - {name: eth0, mac: "02:00:00:00:00:01", addresses: [192.0.2.5/24, "2001:db8:1::5/64"]}
        - {name: eth1, mac: "02:00:00:00:00:02", addresses: [198.51.100.5/24]}
      services:
        - name: web
      """;

  @TempDir private Path directory;

  private Path file(String... lines) throws IOException {
    String rest = String.join("\n", lines);
    return Files.writeString(directory.resolve("lb.yaml"), BEFORE + rest.indent(4));
  }

  private VirtualService service(String... lines) throws IOException, ConfigurationFileException {
    return Configuration.load(file(lines)).services().get(0);
  }

  private static VirtualServiceBuilder expected(Protocol protocol, String vip) {
    return VirtualService.of(protocol, PortRange.of(80))
        .vip(vip)
        .named("web")
        .forwarding(DirectServerReturn.create())
        .monitors(MonitorReader.defaults(protocol, PortRange.of(80)));
  }

  private static Arguments row(String text, UnaryOperator<VirtualServiceBuilder> change) {
    return Arguments.of(text, change);
  }

  static Stream<Arguments> policies() {
    return Stream.of(
        row("max-connections: 100", b -> b.maxConnections(ConnectionLimit.of(100), Overflow.DROP)),
        row("max-connections: {limit: 100}", b -> b.maxConnections(ConnectionLimit.of(100), Overflow.DROP)),
        row(
            "max-connections: {limit: 100, resume-at: 80}",
            b -> b.maxConnections(new ConnectionLimit(100, 80), Overflow.DROP)),
        row("max-connections: 1\noverflow: drop", b -> b.maxConnections(ConnectionLimit.of(1), Overflow.DROP)),
        row("max-connections: 1\noverflow: reset", b -> b.maxConnections(ConnectionLimit.of(1), Overflow.RESET)),
        row("overflow: unreachable", b -> b.overflow(Overflow.UNREACHABLE)),
        row("overflow: standby", b -> b.overflow(Overflow.STANDBY)),
        row("allow: 203.0.113.0/24", b -> b.access(AccessList.of(prefixes("203.0.113.0/24"), List.of()))),
        row(
            "allow: [203.0.113.0/24]\ndeny: [203.0.113.7, \"2001:db8:7::/48\"]",
            b -> b.access(AccessList.of(prefixes("203.0.113.0/24"), prefixes("203.0.113.7", "2001:db8:7::/48")))),
        row("drain: persistence-driven", b -> b.drain(DrainBehavior.PERSISTENCE_DRIVEN)),
        row("drain: migrate-visitors", b -> b.drain(DrainBehavior.MIGRATE_VISITORS)),
        row("drain: retire-sessions", b -> b.drain(DrainBehavior.RETIRE_SESSIONS)),
        row("when-all-down: closed", b -> b.whenAllDown(WhenAllDown.CLOSED)),
        row("when-all-down: open", b -> b.whenAllDown(WhenAllDown.OPEN)),
        row("when-all-down: standby", b -> b.whenAllDown(WhenAllDown.STANDBY)),
        row("when-down: keep", b -> b.whenServerDown(new LostFlows(Fate.KEEP, Fate.KEEP))),
        row("when-down: {tcp: reset}", b -> b.whenServerDown(new LostFlows(Fate.RESET, Fate.REPICK))),
        row("when-removed: reset", b -> b.whenServerRemoved(new LostFlows(Fate.RESET, Fate.RESET))),
        row("when-removed: {udp: drop}", b -> b.whenServerRemoved(new LostFlows(Fate.DROP, Fate.DROP))),
        row("adopt: yes", b -> b.adoptsConnections(true)),
        row("adopt: false", b -> b.adoptsConnections(false)),
        row("slow-start: 30s", b -> b.slowStart(Duration.ofSeconds(30))),
        row("group: shop", b -> b.group("shop")),
        row("persistence: {scope: port}", b -> b.persistence(SourceIpPersistence.create().scope(PersistenceScope.PORT))),
        row("persistence: {scope: vip}", b -> b.persistence(SourceIpPersistence.create().scope(PersistenceScope.VIP))),
        row(
            "group: shop\npersistence: {scope: group, timeout: 60s}",
            b -> b.group("shop").persistence(
                SourceIpPersistence.timeout(Duration.ofSeconds(60)).scope(PersistenceScope.GROUP))));
  }

  private static List<IpPrefix> prefixes(String... texts) {
    return Stream.of(texts).map(IpPrefix::of).toList();
  }

  @ParameterizedTest
  @MethodSource("policies")
  void shouldDeclare(String text, UnaryOperator<VirtualServiceBuilder> change) throws Exception {
    for (String vip : List.of("192.0.2.10", "2001:db8:1::10")) {
      Path file = file("vip: \"" + vip + "\"", "port: 80", "protocol: tcp", "mode: dsr", "servers: []", text);
      assertThat(Configuration.load(file).services())
          .containsExactly(change.apply(expected(Protocol.TCP, vip)).build());
      CommandRun run = CommandRun.lb("check", file);
      assertEquals(0, run.exit(), run.out() + run.err());
      assertThat(run.out().contains("[no-standby-server]")).isEqualTo(text.endsWith(": standby"));
    }
  }

  @Test
  void shouldDeclareWhatIsForOneProtocolOrMethodOnly() throws Exception {
    assertThat(service("vip: 192.0.2.10", "port: 80", "protocol: udp", "mode: dsr", "servers: []", "one-packet: true"))
        .isEqualTo(expected(Protocol.UDP, "192.0.2.10").onePacket(true).build());
    assertThat(
            service("vip: 192.0.2.10", "port: 80", "protocol: tcp", "mode: gateway", "servers: []", "reset-on-idle: yes"))
        .isEqualTo(
            expected(Protocol.TCP, "192.0.2.10").forwarding(Gateway.create()).resetOnIdle(true).build());
  }

  static Stream<Arguments> servers() {
    return Stream.of(
        Arguments.of("activity: standby", new RealServer.Options().activity(Activity.STANDBY)),
        Arguments.of("activity: standby, tier: 2", new RealServer.Options().activity(Activity.STANDBY).tier(2)),
        Arguments.of("max-connections: 7", new RealServer.Options().maxConnections(7)),
        Arguments.of(
            "max-connections: {limit: 7, resume-at: 0}", new RealServer.Options().limit(new ConnectionLimit(7, 0))));
  }

  @ParameterizedTest
  @MethodSource("servers")
  void shouldDeclareServers(String text, RealServer.Options options) throws Exception {
    VirtualService declared =
        service("vip: 192.0.2.10", "port: 80", "protocol: tcp", "mode: dsr",
            "servers: [{name: rs1, address: 192.0.2.21, " + text + "}]");
    assertThat(declared)
        .isEqualTo(expected(Protocol.TCP, "192.0.2.10").realServer("rs1", "192.0.2.21", none -> options).build());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "max-connections: 0 | out-of-range | 1..", "max-connections: many | not-readable | whole number",
    "max-connections: {resume-at: 5} | missing | limit", "max-connections: {limit: 5, resume-at: 5} | out-of-range | 0..4",
    "max-connections: {most: 5} | unknown-key | 'most'", "max-connections: [5] | not-readable | single value",
    "overflow: queue | not-readable | drop, reset, unreachable, standby", "allow: everybody | not-readable | everybody",
    "allow: 203.0.113.1/24 | not-readable | host bits", "deny: [203.0.113.0/33] | not-readable | 0..32",
    "drain: slowly | not-readable | migrate-visitors", "when-all-down: maybe | not-readable | closed, open, standby",
    "when-down: lose | not-readable | keep, drop, reset, repick", "when-down: {icmp: keep} | unknown-key | tcp",
    "when-removed: keep | not-supported | cannot keep", "when-removed: {udp: keep} | not-supported | cannot keep",
    "one-packet: maybe | not-readable | true or false", "one-packet: true | contradiction | UDP",
    "adopt: | missing | no value", "reset-on-idle: true | not-supported | half", "slow-start: 2h | out-of-range | 1 h",
    "slow-start: 5 | not-readable | duration", "group: '' | missing | no value",
    "persistence: {scope: all} | not-readable | port, service, group, vip",
    "servers: [{name: a, address: 192.0.2.21, tier: 0}] | out-of-range | 1..255",
    "servers: [{name: a, address: 192.0.2.21, tier: 256}] | out-of-range | 1..255",
    "servers: [{name: a, address: 192.0.2.21, activity: ready}] | not-readable | standby",
    "servers: [{name: a, address: 192.0.2.21, max-connections: -1}] | out-of-range | 1..",
    "servers: [{name: a, address: 192.0.2.21, max-connections: {limit: 2, resume-at: 2}}] | out-of-range | 0..1",
  })
  void shouldRefuseAtItsLine(String text, String code, String words) throws IOException {
    String servers = text.startsWith("servers") ? "# in the last line" : "servers: []";
    Path file = file("vip: 192.0.2.10", "port: 80", "protocol: tcp", "mode: dsr", servers, text);
    CommandRun run = CommandRun.lb("check", file);
    assertEquals(1, run.exit(), run.out() + run.err());
    assertThat(run.out().lines())
        .anySatisfy(line -> assertThat(line).startsWith(file + ":11: ").contains(words).endsWith("[" + code + "]"));
  }

  @Test
  void shouldWarnOfStandbyServersThatAreMissing() throws IOException {
    String standby = "servers: [{name: a, address: 192.0.2.21, activity: standby}]";
    for (String setting : List.of("overflow: standby", "when-all-down: standby")) {
      Path file = file("vip: 192.0.2.10", "port: 80", "protocol: tcp", "mode: dsr", "servers: []", setting);
      assertThat(CommandRun.lb("check", file).out()).contains(file + ":11: warning: ").contains("[no-standby-server]");
      file = file("vip: 192.0.2.10", "port: 80", "protocol: tcp", "mode: dsr", standby, setting);
      assertThat(CommandRun.lb("check", file).out()).doesNotContain("[no-standby-server]");
    }
  }

  @Test
  void shouldRefuseAPrefixThatIsAllowedAndDenied() throws IOException {
    Path file =
        file("vip: 192.0.2.10", "port: 80", "protocol: tcp", "mode: dsr", "servers: []", "deny: 203.0.113.0/24",
            "allow: 203.0.113.0/24");
    assertThat(CommandRun.lb("check", file).out()).startsWith(file + ":12: ").contains("[contradiction]");
  }

  @Test
  void shouldRefuseNamesThatNoMessageCouldShow() throws IOException {
    Path file =
        file("vip: 192.0.2.10", "port: 80", "protocol: tcp", "mode: dsr",
            "servers: [{name: \"a\\u0007b\", address: 192.0.2.21}]", "group: " + "g".repeat(61));
    assertThat(CommandRun.lb("check", file).out().lines())
        .hasSize(2)
        .allMatch(line -> line.contains("at most 60 characters"));
  }
}

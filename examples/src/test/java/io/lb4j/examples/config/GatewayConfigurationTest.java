package io.lb4j.examples.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.CommandRun;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.gateway.OutboundRule;
import io.lb4j.gateway.Pooling;
import io.lb4j.gateway.UnsolicitedSyn;
import io.lb4j.service.VirtualService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The keys of gateway mode, good and bad, with the line that is named, and what becomes of them. */
class GatewayConfigurationTest {
  /** Lines 1 to 18; a row of the tables replaces one of them, or is added as line 19. */
  private static final String[] BASE = {
    "interfaces:",
    "  - name: eth0",
    "    mac: 02:00:00:00:00:04",
    "    addresses: [198.51.100.5/24, \"2001:db8:c::5/64\"]",
    "  - name: eth1",
    "    mac: 02:00:00:00:00:05",
    "    addresses: [192.0.2.5/24, \"2001:db8:5::5/64\"]",
    "services:",
    "  - name: web",
    "    vip: 198.51.100.100",
    "    port: 80",
    "    protocol: tcp",
    "    mode: gateway",
    "    scheduler: wlc",
    "    servers:",
    "      - {name: s1, address: 192.0.2.11}",
    "routes: [{to: 0.0.0.0/0, via: 198.51.100.1}, {to: \"::/0\", via: \"2001:db8:c::1\"}]",
    "outbound: [{from: 192.0.2.0/24, nat: 198.51.100.200}, {from: \"2001:db8:5::/64\"}]",
    ""
  };

  @TempDir private Path directory;

  private Path file(int line, String text) throws IOException {
    String[] lines = BASE.clone();
    lines[line - 1] = text.replace("\\n", "\n");
    Path file = directory.resolve("lb.yaml");
    return Files.writeString(file, String.join("\n", lines) + "\n");
  }

  private Configuration load(int line, String text) throws IOException, ConfigurationFileException {
    return Configuration.load(file(line, text));
  }

  private static Outbound outbound(Configuration configuration) {
    return configuration.outbound().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, value = {
    "13|    mode: gateway", "13|    mode: gateway\\n    full-nat: 192.0.2.9",
    "13|    mode: gateway\\n    full-nat: [192.0.2.9, 192.0.2.10]",
    "13|    mode: gateway\\n    full-nat: [192.0.2.9]\\n    proxy-protocol: v2",
    "13|    mode: gateway\\n    timeouts: {established: 3h}",
    "16|      - {name: s1, address: 192.0.2.11, port: 8080}",
    "18|outbound: [{from: 192.0.2.0/24, nat: [198.51.100.200, 198.51.100.201]}]",
    "18|outbound: [{from: 192.0.2.0/24, nat: 198.51.100.200, ports: 1024-65535}]",
    "18|outbound: [{from: 192.0.2.0/24}]", "18|outbound: []",
    "18|outbound: [{from: 192.0.2.11, nat: 198.51.100.200}, {from: 192.0.2.0/24}]",
    "19|filtering: eif", "19|filtering: adf", "19|filtering: apdf", "19|pooling: paired", "19|pooling: arbitrary",
    "19|unsolicited-syn: reject", "19|unsolicited-syn: silent", "19|inbound-refresh: yes", "19|inbound-refresh: no",
    "19|outbound-timeouts: {syn: 4m, established: 125m, fin: 4m, reset: 4m, udp: 5m, icmp: 60s}",
  })
  void shouldAccept(int line, String text) throws IOException {
    CommandRun run = CommandRun.lb("check", file(line, text));
    assertEquals(0, run.exit(), run.out() + run.err());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, value = {
    "13|    mode: gateway\\n    full-nat:|14|missing|", "13|    mode: gateway\\n    full-nat: []|14|missing|",
    "13|    mode: gateway\\n    full-nat: yes|14|not-readable|",
    "13|    mode: gateway\\n    full-nat: 192.0.2.5|14|vip-is-interface-address|",
    "13|    mode: gateway\\n    full-nat: \"2001:db8:5::9\"|14|family-mismatch|",
    "13|    mode: gateway\\n    full-nat: 198.51.100.100|14|nat-overlap|",
    "13|    mode: gateway\\n    proxy-protocol: v2|14|missing|without full-nat",
    "13|    mode: gateway\\n    full-nat: 192.0.2.9\\n    proxy-protocol: v1|15|not-readable|v2",
    "12|    protocol: udp\\n    full-nat: 192.0.2.9\\n    proxy-protocol: v2|14|not-supported|TCP",
    "13|    mode: dsr\\n    proxy-protocol: v2|14|not-supported|dsr",
    "16|      - {name: s1, address: 198.51.100.11}|16|same-subnet|198.51.100.0/24",
    "16|      - {name: s1, address: 203.0.113.11}|16|server-not-on-link|",
    "18|outbound: {}|18|not-readable|list", "18|outbound: [{nat: 198.51.100.200}]|18|missing|from",
    "18|outbound: [{from: 192.0.2.7/24}]|18|not-readable|192.0.2.0/24",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: []|20|missing|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: pool|20|not-readable|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: \"2001:db8:c::200\"|20|family-mismatch|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: 224.0.0.1|20|not-unicast|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: 198.51.100.5|20|vip-is-interface-address|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: 192.0.2.200|20|nat-overlap|192.0.2.0/24",
    "18|outbound:\\n  - from: 192.0.2.0/25\\n    nat: 192.0.2.200\\n  - from: 192.0.2.0/24|20|nat-overlap|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    ports: 1024-65535|20|not-supported|routed",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: 198.51.100.200\\n    ports: 0-9|21|out-of-range|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    nat: 198.51.100.200\\n    ports: high|21|not-readable|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n  - from: 192.0.2.0/24|20|duplicate-name|",
    "18|outbound:\\n  - from: 192.0.2.0/24\\n    to: 192.0.2.0/24|20|unknown-key|",
    "19|filtering: all|19|not-readable|eif, adf, apdf", "19|pooling: any|19|not-readable|paired, arbitrary",
    "19|unsolicited-syn: drop|19|not-readable|reject, silent", "19|inbound-refresh: maybe|19|not-readable|",
    "19|outbound-timeouts: {icmp: 5h}|19|out-of-range|", "19|outbound-timeouts: {tcp: 5m}|19|unknown-key|",
    "19|outbound-timeouts:\\n  udp: 0s|20|out-of-range|", "19|outbound-timeouts: 5m|19|not-readable|mapping",
  })
  void shouldRefuse(int line, String text, int named, String code, String words) throws IOException {
    Path file = file(line, text);
    CommandRun run = CommandRun.lb("check", file);
    assertEquals(1, run.exit(), run.out() + run.err());
    String wanted = file + ":" + named + ": ";
    boolean found = run.out().lines().anyMatch(finding -> finding.startsWith(wanted)
        && finding.endsWith("[" + code + "]") && (words == null || finding.contains(words)));
    assertTrue(found, run.out());
  }

  @Test
  void shouldRefuseInsideHostsThatAreNowhere() throws IOException {
    String[] lines = BASE.clone();
    lines[16] = "";
    lines[17] = "outbound: [{from: 203.0.113.0/24}]";
    Path file = Files.writeString(directory.resolve("lb.yaml"), String.join("\n", lines));
    CommandRun run = CommandRun.lb("check", file);
    assertEquals(1, run.exit());
    assertTrue(run.out().contains(file + ":18: ") && run.out().contains("[unreachable-prefix]"), run.out());
  }

  @Test
  void shouldReadEveryRule() throws Exception {
    List<OutboundRule> rules = outbound(load(18, """
        outbound:
          - {from: 192.0.2.11}
          - {from: 192.0.2.0/24, nat: [198.51.100.200, 198.51.100.201], ports: "1024-65535"}
          - {from: "2001:db8:5::/64", nat: "2001:db8:c::200"}""")).rules();
    assertEquals(
        "[OutboundRule[from=192.0.2.11/32, pool=[], firstPort=1, lastPort=65535],"
            + " OutboundRule[from=192.0.2.0/24, pool=[198.51.100.200, 198.51.100.201], firstPort=1024, lastPort=65535],"
            + " OutboundRule[from=2001:db8:5::/64, pool=[2001:db8:c::200], firstPort=1, lastPort=65535]]",
        rules.toString());
    assertTrue(rules.get(0).isRouted());
  }

  @Test
  void shouldReadEverySetting() throws Exception {
    Outbound outbound = outbound(load(19, """
        filtering: apdf
        pooling: arbitrary
        unsolicited-syn: silent
        inbound-refresh: yes
        outbound-timeouts: {syn: 1s, established: 2s, fin: 3s, reset: 4s, udp: 5s, icmp: 6s}"""));
    assertEquals(Filtering.ADDRESS_AND_PORT_DEPENDENT, outbound.filtering());
    assertEquals(Pooling.ARBITRARY, outbound.pooling());
    assertEquals(UnsolicitedSyn.SILENT, outbound.unsolicitedSyn());
    assertTrue(outbound.inboundRefresh());
    assertEquals(
        new FlowTimeouts(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(3), Duration.ofSeconds(4),
            Duration.ofSeconds(5)),
        outbound.timeouts());
    assertEquals(Duration.ofSeconds(6), outbound.icmpTimeout());
  }

  @Test
  void shouldKeepTheDefaultsOfWhatIsNotSaid() throws Exception {
    Outbound outbound = outbound(load(19, "outbound-timeouts: {udp: 130s}"));
    assertEquals(Filtering.ADDRESS_DEPENDENT, outbound.filtering());
    assertEquals(Pooling.PAIRED, outbound.pooling());
    assertEquals(UnsolicitedSyn.REJECT, outbound.unsolicitedSyn());
    assertEquals(Duration.ofSeconds(130), outbound.timeouts().udp());
    assertEquals(Outbound.none().timeouts().established(), outbound.timeouts().established());
    assertTrue(load(18, "").outbound().isEmpty());
  }

  @Test
  void shouldReadTheMethodOfAService() throws Exception {
    assertEquals(Gateway.create(), service(load(13, BASE[12])).forwarding());
    assertEquals(
        Gateway.fullNat("192.0.2.9", "192.0.2.10").withProxyProtocol(),
        service(load(13, "    mode: gateway\\n    full-nat: [192.0.2.9, 192.0.2.10]\\n    proxy-protocol: v2"))
            .forwarding());
  }

  @Test
  void shouldBeginWithTheTimeoutsOfTheMode() throws Exception {
    FlowTimeouts timeouts =
        service(load(13, "    mode: gateway\\n    timeouts: {udp: 30s}")).timeouts().orElseThrow();
    assertEquals(Gateway.create().timeouts().established(), timeouts.established());
    assertEquals(Duration.ofSeconds(30), timeouts.udp());
  }

  private static VirtualService service(Configuration configuration) {
    return configuration.services().get(0);
  }

  /** Each of these settings is named when it changes, and nothing of a service is. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "outbound: [{from: 192.0.2.0/24}] | outbound",
    "outbound: [{from: 192.0.2.0/24, nat: 198.51.100.201}] | outbound",
    "outbound: [{from: 192.0.2.0/24, nat: 198.51.100.200, ports: 1-9}] | outbound", "filtering: eif | filtering",
    "pooling: arbitrary | pooling", "unsolicited-syn: silent | unsolicited-syn", "inbound-refresh: yes | inbound-refresh",
    "outbound-timeouts: {udp: 9s} | outbound-timeouts", "outbound-timeouts: {icmp: 9s} | outbound-timeouts",
    "workers: 2 | workers", "wait-strategy: spin | wait-strategy", "wait-strategy: {work: yield} | wait-strategy", "seed: 5 | seed", "echo: drop | echo", "unserved: pass | unserved",
    "flow-table: {capacity: 64} | flow-table", "flow-table: {overflow: reject} | flow-table",
    "announce: {count: 9} | announce", "neighbors: {192.0.2.11: \"02:00:00:00:00:11\"} | neighbors",
  })
  void shouldNameSettingsThatNeedARestart(String change, String key) throws Exception {
    String same = "outbound: [{from: 192.0.2.0/24, nat: 198.51.100.200}]";
    Configuration before = load(18, same);
    Configuration after = load(18, key.equals("outbound") ? change : same + "\\n" + change);
    assertEquals(List.of(key), before.restartSettings(after));
    assertEquals(List.of(key), after.restartSettings(before));
    assertEquals(List.of(), before.restartSettings(load(18, same + "\\necho: answer")));
  }

  @Test
  void shouldNotCallAServiceASettingThatNeedsARestart() throws Exception {
    assertEquals(
        List.of(), load(13, BASE[12]).restartSettings(load(13, "    mode: gateway\\n    full-nat: 192.0.2.9")));
  }

  @Test
  void shouldNameTheAddressesThatAreTheBalancersAlone() throws Exception {
    String text = String.join("\n", Arrays.copyOf(BASE, 12))
        + "\n    mode: gateway\n    full-nat: 192.0.2.9\n"
        + String.join("\n", Arrays.asList(BASE).subList(13, 18));
    Configuration configuration = Configuration.load(Files.writeString(directory.resolve("lb.yaml"), text));
    List<String> addresses = configuration.balancerAddresses().stream().map(Object::toString).toList();
    assertEquals(List.of("198.51.100.100/32", "192.0.2.9/32", "198.51.100.200/32"), addresses);
    assertTrue(Collections.disjoint(addresses, List.of("198.51.100.5/32", "192.0.2.11/32")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gateway.yaml", "gateway-single.yaml", "full-nat.yaml"})
  void shouldAcceptSamples(String name) {
    CommandRun run = CommandRun.lb("check", Path.of("configs", name));
    assertEquals(0, run.exit(), run.out() + run.err());
  }
}

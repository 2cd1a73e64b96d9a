package io.lb4j.examples.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What {@code lb check} says of gateway configurations beyond their keys. */
class LinterTest {
  /** Nothing to be said of it; a row of the table replaces a part. */
  private static final String BASE =
      """
      interfaces:
        - {name: eth0, mac: "02:00:00:00:00:04", addresses: [198.51.100.5/24, "2001:db8:c::5/64"]}
        - {name: eth1, mac: "02:00:00:00:00:05", addresses: [192.0.2.5/24, "2001:db8:5::5/64"]}
      routes: [{to: 0.0.0.0/0, via: 198.51.100.1}, {to: "::/0", via: "2001:db8:c::1"}]
      outbound: [{from: 192.0.2.0/24, nat: 198.51.100.200}, {from: "2001:db8:5::/64"}]
      services:
        - name: web4
          vip: 198.51.100.100
          port: 80
          protocol: tcp
          mode: gateway
          servers: [{name: s1, address: 192.0.2.11}, {name: s2, address: 192.0.2.12}]
        - name: web6
          vip: "2001:db8:c::100"
          port: 80
          protocol: tcp
          mode: gateway
          servers: [{name: s1, address: "2001:db8:5::11"}]
      """;

  private static final String DSR =
      """
        - name: dsr
          vip: 192.0.2.100
          port: 80
          protocol: tcp
          mode: dsr
          monitor: dsr
          servers: [{name: s1, address: 192.0.2.11}]
      """;

  @TempDir private Path directory;

  private CommandRun check(String text, Object... options) throws IOException {
    Path file = Files.writeString(directory.resolve("lb.yaml"), text);
    Object[] arguments = new Object[options.length + 2];
    arguments[0] = "check";
    arguments[1] = file;
    System.arraycopy(options, 0, arguments, 2, options.length);
    return CommandRun.lb(arguments);
  }

  private static String changed(String from, String to) {
    assertTrue(BASE.contains(from), from);
    return BASE.replace(from, to);
  }

  @Test
  void shouldSayNothingOfASoundConfiguration() throws IOException {
    CommandRun run = check(BASE);
    assertEquals(0, run.exit(), run.out());
    assertTrue(run.out().endsWith(": no findings\n"), run.out());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    // same subnet, both prefixes named; both services are told of, though the library stops at the first
    "192.0.2.11}, | 198.51.100.11}, | 12 | error | same-subnet | 198.51.100.0/24 and the virtual address's",
    "\"2001:db8:5::11\" | \"2001:db8:c::11\" | 18 | error | same-subnet | 2001:db8:c::/64 and the virtual address's",
    // nobody leads to a server, or to the inside hosts
    "192.0.2.11}, | 203.0.113.11}, | 12 | error | server-not-on-link | cannot be its gateway",
    "192.0.2.0/24, nat | 203.0.113.0/24, nat | 7 | information | no-outbound-rule | s1, s2 cannot start",
    // the clients' side
    "{to: 0.0.0.0/0, via: 198.51.100.1}, |  | 7 | information | no-default-route | 198.51.100.0/24, 192.0.2.0/24",
    "0.0.0.0/0 | 203.0.113.0/24 | 7 | information | no-default-route | behind the declared routes",
    ", {to: \"::/0\", via: \"2001:db8:c::1\"} |  | 13 | information | no-default-route | ::/0",
    "vip: 198.51.100.100 | vip: 203.0.113.100 | 8 | information | vip-by-router | a router has to send it here",
    // the way back
    "via: 198.51.100.1} | via: 192.0.2.1} | 4 | warning | asymmetric-path | 192.0.2.1 to clients in 0.0.0.0/0",
    "\"2001:db8:c::1\" | \"2001:db8:5::1\" | 4 | warning | asymmetric-path | subnet of server s1 (2001:db8:5::/64)",
    // what servers start
    "{from: 192.0.2.0/24 | {from: 192.0.2.11 | 7 | information | no-outbound-rule | s2 cannot start",
    ", {from: \"2001:db8:5::/64\"} |  | 13 | information | no-outbound-rule | 2001:db8:5::/64",
    "{from: \"2001:db8:5::/64\"} | {from: \"2001:db8::/32\"} | 5 | warning | clients-inside | subnet 2001:db8:c::/64",
  })
  void shouldFind(String from, String to, int line, String severity, String code, String words) throws IOException {
    CommandRun run = check(changed(from, to == null ? "" : to));
    String start = ":" + line + ": " + (severity.equals("error") ? "" : severity + ": ");
    assertTrue(run.out().lines().anyMatch(finding -> finding.contains("lb.yaml" + start)
        && finding.endsWith("[" + code + "]") && finding.contains(words) && finding.contains("; ")), run.out());
    assertEquals(severity.equals("error") ? 1 : 0, run.exit(), run.out());
    int strict = check(changed(from, to == null ? "" : to), "--strict").exit();
    assertEquals(severity.equals("information") ? 0 : 1, strict, run.out());
  }

  @Test
  void shouldWarnOfAddressesThatNobodyCanAskFor() throws IOException {
    String text = changed("{to: 0.0.0.0/0, via: 198.51.100.1}, ", "")
        .replace("vip: 198.51.100.100", "vip: 203.0.113.100")
        .replace("nat: 198.51.100.200", "nat: 203.0.113.200");
    CommandRun run = check(text);
    assertEquals(0, run.exit(), run.out());
    assertTrue(run.out().contains(":8: warning: service web4: vip: "), run.out());
    assertTrue(run.out().contains("[vip-not-on-link]"), run.out());
    assertTrue(run.out().contains(":5: warning: outbound 192.0.2.0/24: nat: 203.0.113.200 "), run.out());
    assertTrue(run.out().contains("[pool-not-on-link]"), run.out());
  }

  @Test
  void shouldTellOfAServerInTwoModes() throws IOException {
    CommandRun run = check(BASE + DSR);
    assertEquals(0, run.exit(), run.out());
    assertTrue(run.out().contains(":12: information: service web4: server s1: 192.0.2.11 serves dsr by "), run.out());
    assertTrue(run.out().contains("[direct-replies-return]"), run.out());
  }

  @Test
  void shouldSpareFullNatTheRulesOfTheWayBack() throws IOException {
    String text = (BASE + DSR)
        .replace("via: 198.51.100.1}", "via: 192.0.2.1}")
        .replace(
            "mode: gateway\n    servers: [{name: s1, address: 192",
            "mode: gateway\n    full-nat: 192.0.2.9\n    servers: [{name: s1, address: 192");
    CommandRun run = check(text);
    assertEquals(0, run.exit(), run.out());
    assertTrue(run.out().endsWith(": no findings\n"), run.out());
  }

  @Test
  void shouldSayNothingOfDirectServerReturn() throws IOException {
    String text = """
        interfaces: [{name: eth0, mac: "02:00:00:00:00:05", addresses: [192.0.2.5/24]}]
        services:
        """ + DSR;
    assertTrue(check(text).out().endsWith(": no findings\n"));
  }

  @Test
  void shouldTellErrorsAndWarningsAtOnce() throws IOException {
    String text = changed("192.0.2.11},", "198.51.100.11},").replace("via: 198.51.100.1}", "via: 192.0.2.1}");
    CommandRun run = check(text);
    assertEquals(1, run.exit());
    assertTrue(run.out().contains("[same-subnet]"), run.out());
    assertTrue(run.out().contains("[asymmetric-path]"), run.out());
  }

  @Test
  void shouldPrintTheSeverity() throws IOException {
    CommandRun run = check(changed("via: 198.51.100.1}", "via: 192.0.2.1}"), "--json");
    Map<String, List<Map<String, Object>>> tree =
        new Yaml(new SafeConstructor(new LoaderOptions())).load(run.out());
    assertEquals("warning", tree.get("findings").get(0).get("severity"));
    assertEquals(4, tree.get("findings").get(0).get("line"));
  }
}

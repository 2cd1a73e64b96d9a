package io.lb4j.examples.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every key of the file, good and bad, with the line that is named. */
class ConfigurationTest {
  /** Lines 1 to 13; a row of the tables replaces one of them, or is added as line 14. */
  private static final String[] BASE = {
    "interfaces:",
    "  - name: eth0",
    "    mac: 02:00:00:00:00:01",
    "    addresses: [192.0.2.5/24]",
    "services:",
    "  - name: web",
    "    vip: 192.0.2.10",
    "    port: 80",
    "    protocol: tcp",
    "    mode: dsr",
    "    scheduler: wlc",
    "    servers:",
    "      - {name: rs1, address: 192.0.2.21}",
    ""
  };

  @TempDir private Path directory;

  private Path file(int line, String text) throws IOException {
    String[] lines = BASE.clone();
    lines[line - 1] = text.replace("\\n", "\n");
    Path file = directory.resolve("lb.yaml");
    return Files.writeString(file, String.join("\n", lines) + "\n");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, value = {
    "2|  - name: eth7", "3|    mac: 02-00-00-00-00-01", "4|    addresses: [192.0.2.5/24, \"2001:db8:1::5/64\"]",
    "4|    addresses: 192.0.2.5/24", "4|    addresses: [192.0.2.5/24]\\n    io: auto",
    "4|    addresses: [192.0.2.5/24]\\n    io: pcap", "4|    addresses: [192.0.2.5/24]\\n    io: packet",
    "4|    addresses: [192.0.2.5/24]\\n    io: xdp", "4|    addresses: [192.0.2.5/24]\\n    latency: low",
    "4|    addresses: [192.0.2.5/24]\\n    queues: 4", "4|    addresses: [192.0.2.5/24]\\n    mtu: 9000",
    "7|    vip: [192.0.2.10, 192.0.2.11]", "7|    vip: 192.0.2.128/28", "8|    port: 8000-8099", "8|    port: any",
    "9|    protocol: udp", "11|    scheduler: rr", "11|    scheduler: wrr", "11|    scheduler: lc",
    "11|    scheduler: sh", "11|    scheduler: maglev",
    "11|    scheduler: sh\\n    hash: [source-address, source-port]",
    "11|    persistence: {timeout: 300s, prefix4: 24, prefix6: 64, capacity: 1000}", "11|    persistence: {timeout: 2h}",
    "11|    timeouts: {syn: 5s, established: 5m, fin: 10s, reset: 2s, udp: 30s}", "11|    enabled: false",
    "11|    drain: persistence-driven", "11|    monitor: {type: none}",
    "13|      - {name: rs1, address: 192.0.2.21, weight: 3, activity: drain}", "14|flow-table: {capacity: 4096}",
    "14|flow-table: {capacity: 4096, overflow: reject}", "14|flow-table: {overflow: evict-oldest}", "14|workers: 1", "14|wait-strategy: spin", "14|wait-strategy: {receive: yield}", "14|role: passive", "14|role: active",
    "4|    addresses: [192.0.2.5/24]\\n    gateway-addresses: 192.0.2.1",
    "4|    addresses: [192.0.2.5/24]\\n    gateway-addresses: [192.0.2.1, \"fe80::1\"]",
    "14|seed: -7", "14|echo: answer", "14|echo: forward", "14|echo: drop", "14|unserved: drop", "14|unserved: reject",
    "14|unserved: pass", "14|announce: {enabled: false}", "14|announce: {period: 30s, count: 3, interval: 1s, probes: 0}",
    "14|routes: [{to: 0.0.0.0/0, via: 192.0.2.1}]", "14|neighbors: {192.0.2.21: 02:00:00:00:00:21}",
  })
  void shouldAccept(int line, String text) throws IOException {
    CommandRun run = CommandRun.lb("check", file(line, text));
    assertEquals(0, run.exit(), run.out() + run.err());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, value = {
    "2|  - nmae: eth0|2|unknown-key|'name'", "3|    mac: 02:00:00:00:00|3|not-readable|MAC",
    "3|    mac: 01:00:00:00:00:01|3|not-unicast|", "4|    addresses: [192.0.2.5/33]|4|not-readable|",
    "4|    addresses: [192.0.2.5/24]\\n    io: dpdk|5|not-readable|auto, pcap, packet, xdp",
    "4|    addresses: [192.0.2.5/24]\\n    io: pcap\\n    queues: 2|6|contradiction|one queue",
    "4|    addresses: [192.0.2.5/24]\\n    queues: 65|5|out-of-range|", "4|    latency: lowest|4|not-readable|low, bulk, auto",
    "4|    io: xdp\\nunserved: pass|5|contradiction|takes these frames", "4|    addresses: []\\n    mtu: 1|5|out-of-range|",
    "6|  - name:|6|missing|", "7|    vip: 192.0.2.300|7|not-readable|", "7|    vip: 192.0.2.21|13|vip-is-server|rs1",
    "7|    vip: 224.0.0.1|7|not-unicast|", "7|    vip: []|7|missing|",
    "7|    vip: [192.0.2.10, \"2001:db8::1\"]|7|family-mismatch|", "8|    port: 0|8|out-of-range|",
    "8|    port: 90-80|8|out-of-range|", "8|    port: http|8|not-readable|", "9|    protocol: sctp|9|not-readable|tcp, udp",
    "10|    mode: nat|10|not-readable|", "11|    scheduler: best|11|not-readable|maglev", "11|    hash: [source-address]|11|not-supported|",
    "11|    scheduler: sh\\n    hash: [source]|12|not-readable|", "11|    persistence: {timeout: 5}|11|not-readable|300s",
    "11|    persistence: {prefix4: 0}|11|prefix-zero|", "11|    persistence:\\n      prefix4: 33|12|out-of-range|",
    "11|    timeouts: {syn: 0s}|11|out-of-range|", "11|    timeouts: {sin: 1s}|11|unknown-key|'syn'",
    "11|    enabled: maybe|11|not-readable|", "11|    monitor: {type: smtp}|11|not-readable|none, tcp, ping", "11|    drain: slowly|11|not-readable|",
    "11|    full-nat: 192.0.2.9|11|not-supported|dsr", "11|    filtering: adf|11|not-supported|top of the file",
    "11|    port: 81|11|duplicate-key|line 8",
    "13|      - {name: rs1, address: 192.0.2.21, weight: -1}|13|out-of-range|negative",
    "13|      - {name: rs1, addres: 192.0.2.21}|13|unknown-key|'address'",
    "13|      - {name: rs1, address: 198.51.100.21}|13|server-not-on-link|",
    "13|      - {name: rs1, address: 192.0.2.21, port: 8080}|13|port-change|",
    "14|flow-table: {capacity: 0}|14|out-of-range|", "14|flow-table: {overflow: grow}|14|not-readable|",
    "14|workers: 65|14|out-of-range|", "14|workers: two|14|not-readable|", "14|wait-strategy: block|14|not-readable|",
    "14|wait-strategy: {send: spin}|14|unknown-key|", "14|wait-strategy: {work: [spin]}|14|not-readable|", "14|seed: x|14|not-readable|",
    "14|echo: maybe|14|not-readable|", "14|unserved: maybe|14|not-readable|", "14|announce: {period: -1s}|14|not-readable|",
    "14|routes: [{to: 0.0.0.0/0, via: 203.0.113.1}]|14|unknown-name|",
    "14|routes: [{to: 0.0.0.0/0}]|14|missing|", "14|neighbors: {192.0.2.21: x}|14|not-readable|",
    "14|role: master|14|not-readable|active, passive",
    "4|    addresses: [192.0.2.5/24]\\n    gateway-addresses: 198.51.100.1|5|gateway-address-not-on-link|",
    "4|    addresses: [192.0.2.5/24]\\n    gateway-addresses: [192.0.2.10]|5|gateway-address-in-use|",
    "4|    addresses: [192.0.2.5/24]\\n    gateway-addresses: [x]|5|not-readable|", "14|sevices: []|14|unknown-key|'services'",
    "14|a: [|15|yaml-syntax|", "14|&a a: *a|14|unknown-key|", "14|# \u0007|14|yaml-syntax|U+0007",
    "13|      # none|12|missing|no value", "11|    persistence:|11|missing|no value",
    "11|    monitors: {all-of: }|11|missing|no value", "14|flow-table:|14|missing|no value",
    "14|neighbors: ~|14|missing|no value", "14|routes:|14|missing|no value",
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

  /** Values reach messages by many ways, and messages reach terminals. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, value = {
    "4|    addresses: \"VALUE\"", "7|    vip: \"VALUE\"", "8|    port: \"VALUE\"", "9|    protocol: \"VALUE\"",
    "11|    \"VALUE\": 1", "11|    persistence: {timeout: \"VALUE\"}", "11|    monitor: {type: http, path: \"/VALUE\"}",
    "11|    monitor: {type: http, host: \"VALUE\"}", "11|    group: \"VALUE\"", "11|    deny: \"VALUE\"",
    "11|    enabled: *VALUE", "11|    hash: [\"VALUE\"]", "14|neighbors: {\"VALUE\": x}",
  })
  void shouldKeepFindingsFitForALine(int number, String text) throws IOException {
    for (String value : List.of("\\e[31m\\x0d\\x0afake.yaml:1: fine", "\\x9b31mx", "y".repeat(100_000))) {
      CommandRun run = CommandRun.lb("check", file(number, text.replace("VALUE", value)));
      assertEquals(1, run.exit(), run.out() + run.err());
      for (String line : run.out().split("\n")) {
        assertTrue(line.startsWith(directory.toString()), line);
        assertTrue(line.chars().noneMatch(Character::isISOControl), line);
        assertTrue(line.length() < 1500, line);
      }
    }
  }

  @Test
  @Timeout(5)
  void shouldNotSearchForWhatALongKeyMayMean() {
    assertTrue(ConfigurationReader.TOP.remedyFor("x".repeat(5_000_000)).startsWith("known here"));
    assertTrue(ConfigurationReader.TOP.remedyFor("unsolicited-synn").contains("'unsolicited-syn'"));
  }

  @Test
  void shouldBoundAliases() throws IOException {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x]\n");
    for (int i = 1; i < 30; i++) {
      bomb.append("a" + i + ": &a" + i + " [" + ("*a" + (i - 1) + ", ").repeat(9) + "]\n");
    }
    Path file = Files.writeString(directory.resolve("bomb.yaml"), bomb);
    CommandRun run = CommandRun.lb("check", file);
    assertEquals(1, run.exit());
    assertTrue(run.out().contains("aliases"), run.out());
  }

  @Test
  void shouldEndDamagedFilesWithFindings() throws IOException {
    byte[] whole = Files.readAllBytes(Path.of("configs", "persistence.yaml"));
    for (int seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      byte[] bytes = Arrays.copyOf(whole, seed % 2 == 0 ? whole.length : random.nextInt(whole.length));
      for (int flips = random.nextInt(10); flips >= 0 && bytes.length > 0; flips--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(7));
      }
      CommandRun run = CommandRun.lb("check", Files.write(directory.resolve("damaged.yaml"), bytes));
      assertTrue(run.exit() == 0 || run.exit() == 1, "seed " + seed + ": " + run.err());
    }
  }

  @Test
  void shouldSayWhenTheFileIsMissing() {
    CommandRun run = CommandRun.lb("check", directory.resolve("none.yaml"));
    assertEquals(2, run.exit());
    assertTrue(run.err().contains("no such file"), run.err());
    assertThrows(ConfigurationFileException.class, () -> Configuration.load(directory));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dsr.yaml", "dsr-ipv6.yaml", "persistence.yaml"})
  void shouldAcceptSamples(String name) {
    CommandRun run = CommandRun.lb("check", Path.of("configs", name));
    assertEquals(0, run.exit(), run.out() + run.err());
  }
}

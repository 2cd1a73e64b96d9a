package io.lb4j.examples.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.lb4j.examples.CommandRun;
import io.lb4j.monitor.HttpCheck;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Observation;
import io.lb4j.monitor.UdpCheck;
import io.lb4j.monitor.Watermark;
import io.lb4j.service.VirtualService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The keys that say how servers are watched: what they declare, and what is refused at which line. */
class MonitorConfigurationTest {
  private static final String BEFORE =
      """
      interfaces: [{name: eth0, mac: "02:00:00:00:00:01", addresses: [192.0.2.5/24, "2001:db8:1::5/64"]}]
      services:
        - name: web
          mode: dsr
      """;

  @TempDir private Path directory;

  private Path file(String vip, String port, String protocol, String... lines) throws IOException {
    String text = "vip: \"" + vip + "\"\nport: " + port + "\nprotocol: " + protocol + "\n" + String.join("\n", lines);
    return Files.writeString(directory.resolve("lb.yaml"), BEFORE + text.indent(4));
  }

  private VirtualService tcp(String... lines) throws IOException, ConfigurationFileException {
    return Configuration.load(file("192.0.2.10", "80", "tcp", lines)).services().get(0);
  }

  static Stream<Arguments> monitors() {
    return Stream.of(
        Arguments.of("monitor: none", Monitors.NONE),
        Arguments.of("monitor: {type: none}", Monitors.NONE),
        Arguments.of("monitor: tcp", Monitors.of(Monitor.tcp().build())),
        Arguments.of("monitor: ping", Monitors.of(Monitor.ping().build())),
        Arguments.of("monitor: dsr", Monitors.of(Monitor.dsr().build())),
        Arguments.of("monitor: udp", Monitors.of(Monitor.udp(UdpCheck.sending(new byte[0])).build())),
        Arguments.of("monitor: http", Monitors.of(Monitor.http(HttpCheck.get("/")).build())),
        Arguments.of(
            "monitor: {type: tcp, port: 8080, interval: 1s, timeout: 500ms, in: 3, out: 4, jitter: 0.25}",
            Monitors.of(
                Monitor.tcp().port(8080).interval(Duration.ofSeconds(1)).timeout(Duration.ofMillis(500)).in(3).out(4)
                    .jitter(0.25).build())),
        Arguments.of(
            "monitor: {type: http, path: /up, host: www.example.com, expect: [200, 300-399], text: \"fine: yes\"}",
            Monitors.of(
                Monitor.http(
                        HttpCheck.get("/up").host("www.example.com").expecting("200", "300-399").containing("fine: yes"))
                    .build())),
        Arguments.of(
            "monitor: {type: http, method: head, path: /up}", Monitors.of(Monitor.http(HttpCheck.head("/up")).build())),
        Arguments.of(
            "monitor: {type: udp, send: \"hex:00ff\", expect: pong}",
            Monitors.of(
                Monitor.udp(UdpCheck.sending(new byte[] {0, -1}).expecting("pong".getBytes(UTF_8))).build())),
        Arguments.of(
            "monitor: {type: udp, send: ping, silence: up}",
            Monitors.of(Monitor.udp(UdpCheck.sending("ping".getBytes(UTF_8)).silencePasses(true)).build())),
        Arguments.of(
            "monitors: {all-of: [tcp, {type: ping, out: 5}]}",
            Monitors.allOf(Monitor.tcp().build(), Monitor.ping().out(5).build())),
        Arguments.of(
            "monitors: {any-of: [dsr, ping]}", Monitors.anyOf(Monitor.dsr().build(), Monitor.ping().build())));
  }

  @ParameterizedTest
  @MethodSource("monitors")
  void shouldDeclareForServiceAndServer(String text, Monitors expected) throws Exception {
    assertThat(tcp("servers: []", text).monitors()).isEqualTo(expected);
    VirtualService one = tcp("servers: [{name: rs1, address: 192.0.2.21, " + text + "}, {name: b, address: 192.0.2.22}]");
    assertThat(one.servers().get(0).monitors()).contains(expected);
    assertThat(one.servers().get(1).monitors()).isEmpty();
    Path file = file("2001:db8:1::10", "80", "tcp", "servers: []", text);
    assertEquals(0, CommandRun.lb("check", file).exit(), CommandRun.lb("check", file).out());
  }

  @ParameterizedTest
  @CsvSource({"tcp, 80, true", "udp, 80, false", "tcp, 8000-8099, false", "tcp, any, false"})
  void shouldConnectByTcpWhereNothingIsSaidAndThereIsOnePort(String protocol, String port, boolean watched)
      throws Exception {
    VirtualService service = Configuration.load(file("192.0.2.10", port, protocol, "servers: []")).services().get(0);
    assertThat(service.monitors()).isEqualTo(watched ? Monitors.of(Monitor.tcp().build()) : Monitors.NONE);
  }

  @ParameterizedTest
  @CsvSource({"tcp, TCP connections", "udp, nobody watches"})
  void shouldTellOfTheDefaultWhenAsked(String protocol, String words) throws IOException {
    Path file = file("192.0.2.10", "80", protocol, "servers: []");
    assertThat(CommandRun.lb("check", file).out()).doesNotContain("default-monitor");
    CommandRun run = CommandRun.lb("check", "--defaults", file);
    assertEquals(0, run.exit());
    assertThat(run.out()).startsWith(file + ":3: information: service web: monitor: ").contains(words);
    assertThat(CommandRun.lb("check", "--defaults", file("192.0.2.10", "80", protocol, "servers: []", "monitor: none")).out())
        .doesNotContain("default-monitor");
  }

  @Test
  void shouldDeclareObservationAndWatermark() throws Exception {
    assertThat(tcp("servers: []").observation()).isEmpty();
    assertThat(tcp("servers: []", "observation: off").observation()).isEmpty();
    assertThat(tcp("servers: []", "observation: on").observation()).contains(Observation.defaults());
    assertThat(tcp("servers: []", "observation: {window: 20s, minimum: 9, ratio: 0.75, inhibit: 1s, longest: 60s}"))
        .extracting(VirtualService::observation)
        .isEqualTo(
            Optional.of(
                new Observation(Duration.ofSeconds(20), 9, 0.75, Duration.ofSeconds(1), Duration.ofSeconds(60))));
    assertThat(tcp("servers: []").watermark()).isEqualTo(Watermark.NONE);
    assertThat(tcp("servers: []", "watermark: 0.5").watermark()).isEqualTo(Watermark.of(0.5));
    assertThat(tcp("servers: []", "watermark: {low: 0.3, high: 0.6}").watermark()).isEqualTo(new Watermark(0.3, 0.6));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "monitor: smtp | not-readable | none, tcp, ping, udp, http, dsr", "monitor: {interval: 5s} | not-readable | type",
    "monitor: {type: none, interval: 5s} | not-supported | no use", "monitor: {type: ping, port: 7} | not-supported | no use",
    "monitor: {type: tcp, path: /} | not-supported | no use", "monitor: {type: tcp, retry: 5} | unknown-key | 'retry'",
    "monitor: {type: tcp, interval: 50ms} | out-of-range | 100 ms", "monitor: {type: tcp, in: 0} | out-of-range | 1..100",
    "monitor: {type: tcp, out: 101} | out-of-range | 1..100", "monitor: {type: tcp, jitter: 1.5} | out-of-range | 0..1",
    "monitor: {type: tcp, jitter: 10%} | not-readable | share", "monitor: {type: tcp, port: 0} | out-of-range | 1..65535",
    "monitor: {type: tcp, timeout: 6s} | out-of-range | overlap", "monitor: {type: http, path: up} | not-readable | '/'",
    "monitor: {type: http, method: post} | not-readable | get, head", "monitor: {type: http, expect: 99} | not-readable | 200",
    "monitor: {type: http, expect: []} | missing | status", "monitor: {type: udp, send: \"hex:0\"} | not-readable | not even",
    "monitor: {type: udp, silence: maybe} | not-readable | up, down",
    "monitor: {type: udp, silence: up, expect: x} | contradiction | silence",
    "monitor: {type: http, method: head, text: x} | contradiction | no body",
    "monitors: {all-of: [tcp], any-of: [tcp]} | contradiction | either", "monitors: {} | contradiction | either",
    "monitors: {all-of: [tcp, tcp]} | duplicate-name | same", "monitors: [tcp] | not-readable | mapping",
    "observation: maybe | not-readable | true or false", "observation: {ratio: 0.1} | out-of-range | 0.5..1",
    "observation: {window: 1h} | out-of-range | 300 s", "watermark: 2 | out-of-range | 0..1",
    "watermark: {low: 0.5, high: 0.4} | out-of-range | 0.5..1",
    "servers: [{name: a, address: 192.0.2.21, monitor: {type: tcp, in: 0}}] | out-of-range | 1..100",
  })
  void shouldRefuseAtItsLine(String text, String code, String words) throws IOException {
    String servers = text.startsWith("servers") ? "# in the last line" : "servers: []";
    Path file = file("192.0.2.10", "80", "tcp", servers, text);
    CommandRun run = CommandRun.lb("check", file);
    assertEquals(1, run.exit(), run.out() + run.err());
    assertThat(run.out()).startsWith(file + ":9: ").contains(words).contains("[" + code + "]");
  }

  @Test
  void shouldNameTheMonitorThatLacksAPort() throws IOException {
    Path file =
        file("192.0.2.10", "8000-8099", "tcp", "servers: [{name: a, address: 192.0.2.21}]", "monitor: {type: http}");
    assertThat(CommandRun.lb("check", file).out()).startsWith(file + ":9: service web: monitor: port: ");
  }

  @Test
  void shouldRefuseBothKeys() throws IOException {
    Path file = file("192.0.2.10", "80", "tcp", "servers: []", "monitor: tcp", "monitors: {any-of: [tcp, ping]}");
    assertThat(CommandRun.lb("check", file).out()).startsWith(file + ":10: ").contains("[contradiction]");
  }

  @Test
  void shouldRefuseObservationOfUdpAndDirectProbesOfTheGateway() throws IOException {
    Path file = file("192.0.2.10", "80", "udp", "servers: []", "observation: on");
    assertThat(CommandRun.lb("check", file).out()).startsWith(file + ":9: ").contains("[contradiction]");
    Path other = file("198.51.100.10", "80", "tcp", "servers: []", "monitor: dsr");
    Files.writeString(other, Files.readString(other).replace("mode: dsr", "mode: gateway"));
    assertThat(CommandRun.lb("check", other).out()).contains(other + ":9: service web: monitor: dsr: ", "[not-supported]");
  }
}

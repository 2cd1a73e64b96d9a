package io.lb4j.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class MonitorTest {
  private static final ForwardingMethod METHOD = () -> "test";

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void refuses(Runnable declaration, ConfigurationError error, String setting, String value) {
    assertThatThrownBy(declaration::run)
        .isInstanceOfSatisfying(
            ConfigurationException.class,
            e -> {
              assertThat(e.error()).isEqualTo(error);
              assertThat(e.setting()).isEqualTo(setting);
              assertThat(e.value()).isEqualTo(value);
            });
  }

  @Test
  void shouldHaveTheDefaultsThatTheDocumentationNames() {
    Monitor monitor = Monitor.tcp().build();
    assertThat(monitor)
        .isEqualTo(
            new Monitor(new Check.TcpConnect(), 0, Duration.ofSeconds(5), Duration.ofSeconds(2), 2, 3, 0.1));
    assertThat(monitor.detection()).isEqualTo(Duration.ofMillis(17_500));
  }

  @Test
  void shouldShortenTheTimeoutThatNobodySetToTheInterval() {
    assertThat(Monitor.tcp().interval(Duration.ofSeconds(1)).build().timeout()).isEqualTo(Duration.ofSeconds(1));
    assertThat(Monitor.tcp().interval(Duration.ofSeconds(9)).build().timeout()).isEqualTo(Duration.ofSeconds(2));
  }

  static Stream<Arguments> refused() {
    Duration second = Duration.ofSeconds(1);
    return Stream.of(
        arguments((Runnable) () -> Monitor.tcp().interval(second).timeout(Duration.ofMillis(1001)).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: timeout", "PT1.001S"),
        arguments((Runnable) () -> Monitor.tcp().interval(Duration.ofMillis(99)).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: interval", "PT0.099S"),
        arguments((Runnable) () -> Monitor.tcp().interval(Duration.ofHours(2)).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: interval", "PT2H"),
        arguments((Runnable) () -> Monitor.tcp().timeout(Duration.ZERO).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: timeout", "PT0S"),
        arguments((Runnable) () -> Monitor.tcp().in(0).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: in", "0"),
        arguments((Runnable) () -> Monitor.tcp().out(101).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: out", "101"),
        arguments((Runnable) () -> Monitor.tcp().jitter(1.01).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: jitter", "1.01"),
        arguments((Runnable) () -> Monitor.tcp().jitter(Double.NaN).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: jitter", "NaN"),
        arguments((Runnable) () -> Monitor.tcp().port(65536).build(),
            ConfigurationError.OUT_OF_RANGE, "monitor: port", "65536"),
        arguments((Runnable) () -> Monitor.ping().port(80).build(),
            ConfigurationError.CONTRADICTION, "monitor: port", "80"),
        arguments((Runnable) () -> UdpCheck.sending(new byte[1401]),
            ConfigurationError.OUT_OF_RANGE, "monitor: send", "1401 bytes"),
        arguments((Runnable) () -> UdpCheck.sending(bytes("?")).expecting(bytes("!")).silencePasses(true),
            ConfigurationError.CONTRADICTION, "monitor: silence", "up"),
        arguments((Runnable) () -> HttpCheck.get("health"),
            ConfigurationError.NOT_READABLE, "monitor: path", "health"),
        arguments((Runnable) () -> HttpCheck.get("/a b"),
            ConfigurationError.NOT_READABLE, "monitor: path", "/a b"),
        arguments((Runnable) () -> HttpCheck.get("/").host("a\r\nX: b"),
            ConfigurationError.NOT_READABLE, "monitor: host", "a\r\nX: b"),
        arguments((Runnable) () -> HttpCheck.get("/").expecting(),
            ConfigurationError.MISSING, "monitor: expect", "none"),
        arguments((Runnable) () -> HttpCheck.get("/").expecting("2xx"),
            ConfigurationError.NOT_READABLE, "monitor: expect", "2xx"),
        arguments((Runnable) () -> HttpCheck.get("/").expecting("300-200"),
            ConfigurationError.OUT_OF_RANGE, "monitor: expect", "300-200"),
        arguments((Runnable) () -> HttpCheck.head("/").containing("ok"),
            ConfigurationError.CONTRADICTION, "monitor: text", "ok"),
        arguments((Runnable) () -> Monitors.allOf(Monitor.tcp().build(), Monitor.tcp().build()),
            ConfigurationError.DUPLICATE_NAME, "monitors", "2 monitors"),
        arguments((Runnable) () -> Observation.defaults().evidence(0, 1),
            ConfigurationError.OUT_OF_RANGE, "observation: minimum", "0"),
        arguments((Runnable) () -> Observation.defaults().evidence(5, 0.4),
            ConfigurationError.OUT_OF_RANGE, "observation: ratio", "0.4"),
        arguments((Runnable) () -> Observation.defaults().inhibit(second, Duration.ofMillis(500)),
            ConfigurationError.OUT_OF_RANGE, "observation: longest", "PT0.5S"),
        arguments((Runnable) () -> Watermark.of(1.5), ConfigurationError.OUT_OF_RANGE, "watermark: low", "1.5"),
        arguments((Runnable) () -> new Watermark(0.5, 0.4),
            ConfigurationError.OUT_OF_RANGE, "watermark: high", "0.4"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void shouldRefuseWhatCannotBeKept(Runnable declaration, ConfigurationError error, String setting, String value) {
    refuses(declaration, error, setting, value);
  }

  @ParameterizedTest
  @CsvSource({"0.55, 20, 11", "0.07, 100, 7", "0.28, 25, 7", "0.29, 100, 29", "0.57, 100, 57", "1, 3, 3"})
  void shouldHaveReachedAMarkThatIsExactlyAWholeNumberOfServers(double mark, int servers, int well) {
    Watermark watermark = Watermark.of(mark);
    assertThat(watermark.isBelow(well, servers)).isFalse();
    assertThat(watermark.isReached(well, servers)).isTrue();
    assertThat(watermark.isBelow(well - 1, servers)).isTrue();
    assertThat(watermark.isReached(well - 1, servers)).isFalse();
  }

  private static Monitors everyKind(Probe own) {
    return Monitors.allOf(
        Monitor.tcp().port(8080).build(),
        Monitor.ping().interval(Duration.ofSeconds(1)).build(),
        Monitor.dsr().build(),
        Monitor.udp(UdpCheck.sending(bytes("?")).expecting(bytes("!"))).build(),
        Monitor.http(HttpCheck.get("/").host("www.example.com").expecting("200", "300-399").containing("ok")).build(),
        Monitor.own(own).build());
  }

  @Test
  void shouldBeEqualByValueSoThatAReadConfigurationIsUnchanged() {
    Probe own = target -> ProbeResult.answered(1);
    assertThat(everyKind(own)).isEqualTo(everyKind(own)).hasSameHashCodeAs(everyKind(own));
    Probe other = target -> ProbeResult.answered(1);
    assertThat(everyKind(own)).as("a function is itself alone").isNotEqualTo(everyKind(other));
  }

  private static VirtualServiceBuilder web() {
    return VirtualService.tcp("192.0.2.10", 80).named("web").forwarding(METHOD).realServer("rs1", "192.0.2.21");
  }

  @Test
  void shouldCarryMonitorsThroughChangesOfAService() {
    VirtualService service =
        web()
            .monitor(Monitor.tcp().build())
            .observation(Observation.defaults())
            .watermark(Watermark.of(0.5))
            .realServer("rs2", "192.0.2.22", options -> options.monitors(Monitors.NONE))
            .build();
    VirtualService changed = service.withServer("rs2", server -> server.withWeight(7));
    assertThat(service.toBuilder().build()).isEqualTo(service);
    assertThat(changed.monitors()).isEqualTo(Monitors.of(Monitor.tcp().build()));
    assertThat(changed.monitors(changed.server("rs1").orElseThrow())).isEqualTo(service.monitors());
    assertThat(changed.monitors(changed.server("rs2").orElseThrow())).isEqualTo(Monitors.NONE);
    assertThat(service.toBuilder().monitors(Monitors.NONE).build()).isNotEqualTo(service);
    assertThat(service.toBuilder().observation(null).build()).isNotEqualTo(service);
    assertThat(service.toBuilder().watermark(Watermark.NONE).build()).isNotEqualTo(service);
  }

  @Test
  void shouldKnowThePortToAsk() {
    Monitor own = Monitor.tcp().build();
    VirtualService service =
        web().realServer("rs2", "192.0.2.22", options -> options.port(8080)).monitor(own).build();
    assertThat(service.monitoredPort(own, service.server("rs1").orElseThrow())).isEqualTo(80);
    assertThat(service.monitoredPort(own, service.server("rs2").orElseThrow())).isEqualTo(8080);
    assertThat(service.monitoredPort(Monitor.tcp().port(9).build(), service.server("rs2").orElseThrow())).isEqualTo(9);
  }

  @Test
  void shouldRefuseAMonitorWithoutAPortOfAServiceWithMany() {
    VirtualServiceBuilder any =
        VirtualService.of(Protocol.TCP, PortRange.ANY)
            .vip("2001:db8::10")
            .named("any")
            .forwarding(METHOD)
            .realServer("rs1", "2001:db8::21");
    refuses(() -> any.monitor(Monitor.tcp().build()).build(), ConfigurationError.MISSING,
        "service any: monitor: port", "none");
    refuses(() -> any.monitor(Monitor.dsr().build()).build(), ConfigurationError.MISSING,
        "service any: monitor: port", "none");
    any.monitor(Monitor.tcp().port(22).build()).build();
    any.monitor(Monitor.ping().build()).build();
    any.realServer("rs2", "2001:db8::22", options -> options.monitor(Monitor.tcp().build()));
    refuses(any::build, ConfigurationError.MISSING, "service any: server rs2: monitor: port", "none");
  }

  @Test
  void shouldRefuseToObserveWhatNeedsNoAnswer() {
    VirtualServiceBuilder dns =
        VirtualService.udp("192.0.2.10", 53).named("dns").forwarding(METHOD).observation(Observation.defaults());
    refuses(dns::build, ConfigurationError.CONTRADICTION, "service dns: observation", "on");
  }
}

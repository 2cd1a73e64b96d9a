package io.lb4j.examples.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.report.PlanReport;
import io.lb4j.frame.Verdict;
import io.lb4j.service.Activity;
import io.lb4j.service.Plan;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A file against what runs: as a whole, or not at all. */
class RunningConfigurationTest {
  private static final String BEFORE =
      """
      interfaces: [{name: test0, mac: "02:00:00:00:00:01", addresses: [192.0.2.5/24, 198.51.100.5/24]}]
      neighbors: {192.0.2.21: "02:00:00:00:00:21", 192.0.2.22: "02:00:00:00:00:22"}
      flow-table: {capacity: 64}
      services:
      """;

  private final Configuration first = configuration(service("a", 80, "") + service("b", 81, "") + service("c", 82, ""));
  private final LoadBalancer balancer = balancer();
  private final RunningConfiguration running = new RunningConfiguration(balancer, first);

  private static String service(String name, int port, String more) {
    return "  - {name: %s, vip: 192.0.2.10, port: %d, protocol: tcp, mode: dsr, monitor: none%s, ".formatted(name, port, more)
        + "servers: [{name: rs1, address: 192.0.2.21}, {name: rs2, address: 192.0.2.22}]}\n";
  }

  private static Configuration configuration(String services) {
    try {
      return Configuration.parse("web.yaml", BEFORE + services);
    } catch (ConfigurationFileException e) {
      throw new AssertionError(e);
    }
  }

  private LoadBalancer balancer() {
    try {
      return new Rehearsal(first).build();
    } catch (ConfigurationFileException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void close() {
    assertThat(balancer.statistics().holds()).isTrue();
    balancer.close();
  }

  private Verdict syn(String client, int port) {
    ByteBuf frame =
        FrameBuilder.from(client, "192.0.2.10").macs("02:00:00:00:00:01", "02:00:00:00:00:77")
            .tcp(40_000, port, TcpHeader.SYN).build();
    try {
      return balancer.dataPath().process(0, frame, System.nanoTime(), (index, sent, marks) -> sent.release());
    } finally {
      frame.release();
    }
  }

  @Test
  void shouldDoTheDifferenceAndTellIt() throws Exception {
    assertThat(syn("192.0.2.77", 82)).isEqualTo(Verdict.FORWARD);
    Plan plan =
        running.apply(configuration(service("a", 80, "") + service("b", 81, ", scheduler: rr") + service("d", 82, "")));
    assertThat(PlanReport.line(plan))
        .isEqualTo("changed service b (scheduler); removed service c; added service d; 1 flow lost");
    assertThat(balancer.services()).extracting(VirtualService::name).containsExactly("a", "b", "d");
    assertThat(PlanReport.line(running.plan(running.current()))).isEqualTo("no changes");
  }

  /** Each of these says something else about the service alone. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "max-connections: 5 | max-connections", "drain: migrate-visitors | drain", "deny: 203.0.113.7 | allow, deny",
    "when-removed: reset | when-removed", "monitor: tcp | monitor", "watermark: 0.5 | watermark", "group: x | group",
    "persistence: {timeout: 60s} | persistence", "enabled: false | enabled", "slow-start: 30s | slow-start",
  })
  void shouldSeeEverySettingThatDiffers(String setting, String named) throws Exception {
    String changed = service("a", 80, ", " + setting);
    if (setting.startsWith("monitor")) {
      changed = changed.replace("monitor: none, ", "");
    }
    Plan plan = running.apply(configuration(changed + service("b", 81, "") + service("c", 82, "")));
    assertThat(PlanReport.line(plan)).isEqualTo("changed service a (" + named + ")");
  }

  @Test
  void shouldDoNothingOfAFileThatIsRefused() {
    Configuration overlap = configuration(service("x", 80, "") + service("a", 80, "") + service("d", 82, ""));
    assertThatThrownBy(() -> running.apply(overlap))
        .isInstanceOf(ConfigurationFileException.class)
        .hasMessageContaining("web.yaml:6: service a: port: ")
        .hasMessageContaining("[services-overlap]");
    assertThat(running.current()).isEqualTo(first);
  }

  @Test
  void shouldTellAllRefusalsAtOnce() {
    String strange = service("a", 80, "").replace("192.0.2.22", "203.0.113.22");
    Configuration twice = configuration(strange + service("b", 81, "") + service("x", 81, ""));
    assertThatThrownBy(() -> running.plan(twice))
        .isInstanceOfSatisfying(
            ConfigurationFileException.class,
            refused -> assertThat(refused.findings()).extracting(f -> f.line()).containsExactly(5, 7));
  }

  @Test
  void shouldRefuseWhatWouldNotStart() throws Exception {
    String text = BEFORE.replace("198.51.100.5/24", "192.0.2.6/24") + service("a", 80, "");
    Configuration next = Configuration.parse("web.yaml", text.replace("192.0.2.6/24", "192.0.2.10/24"));
    assertThat(running.restartSettings(next)).containsExactly("interfaces");
    assertThatThrownBy(() -> running.apply(next)).hasMessageContaining("[vip-is-interface-address]");
    assertThat(running.current()).isEqualTo(first);
  }

  /** An interface that is away, or lost its IPv6 addresses while it was down, leaves the balancer what it had of it. */
  @Test
  void shouldGoByTheAddressesThatAnInterfaceWasOpenedWith() throws Exception {
    String text = BEFORE.replace(", addresses: [192.0.2.5/24, 198.51.100.5/24]", "");
    Configuration next = Configuration.parse("web.yaml", text + service("a", 80, ", scheduler: rr"));
    assertThatThrownBy(() -> new Rehearsal(next).build()).as("none of this host").hasMessageContaining("no interface is connected");
    assertThat(PlanReport.line(running.apply(next)))
        .isEqualTo("changed service a (scheduler); removed service b; removed service c");
  }

  /** Notes what it hears of. */
  private static final class Listening implements Host {
    private final List<String> heard = new ArrayList<>();

    @Override
    public void check(Configuration configuration) {}

    @Override
    public void prepare(Configuration present, Configuration next) {
      heard.add(names(present) + " to " + names(next));
    }

    @Override
    public void settle(Configuration present) {
      heard.add(names(present));
    }

    private static String names(Configuration configuration) {
      return configuration.services().stream().map(VirtualService::name).toList().toString();
    }
  }

  @Test
  void shouldTellTheHostWhatBecameOfAChange() throws Exception {
    Listening host = new Listening();
    RunningConfiguration told = new RunningConfiguration(balancer, first, host);
    told.apply(configuration(service("d", 80, "")));
    assertThat(host.heard).containsExactly("[a, b, c] to [d]", "[d]");
    host.heard.clear();
    RunningConfiguration hindered = new RunningConfiguration(balancer, first, new Host() {
      @Override
      public void check(Configuration configuration) {}

      @Override
      public void prepare(Configuration present, Configuration next) {
        host.prepare(present, next);
        balancer.service("d").realServer("rs1").weight(host.heard.size() + 1); // each plan is old by then
      }

      @Override
      public void settle(Configuration present) {
        host.settle(present);
      }
    });
    assertThatThrownBy(() -> hindered.apply(first)).isInstanceOf(IllegalStateException.class);
    assertThat(host.heard).endsWith("[d] to [a, b, c]", "[d]");
  }

  @Test
  void shouldAskTheHostBeforeEveryChange() {
    Configuration loopback = configuration(service("a", 80, "").replace("192.0.2.10", "203.0.113.9"));
    Host host =
        asked -> {
          assertThat(asked).isEqualTo(loopback);
          throw asked.refused(
              new ConfigurationException(
                  ConfigurationError.VIP_HELD_BY_KERNEL, "service a: vip", "203.0.113.9", "the kernel holds it"));
        };
    assertThatThrownBy(() -> new RunningConfiguration(balancer, first, host).apply(loopback))
        .isInstanceOf(ConfigurationFileException.class)
        .hasMessageContaining("web.yaml:5: service a: vip: ");
    assertThat(running.current()).isEqualTo(first);
  }

  @Test
  void shouldLeaveSettingsOfTheTopToARestart() throws Exception {
    Configuration next = Configuration.parse("web.yaml", BEFORE + service("a", 80, "") + "echo: drop\nworkers: 2\n");
    assertThat(running.restartSettings(next)).containsExactly("workers", "echo");
    running.apply(next);
    assertThat(running.current()).isEqualTo(first.withServices(next.services()));
    assertThat(running.restartSettings(next)).as("still so").containsExactly("workers", "echo");
  }

  @Test
  void shouldKnowWhatWasChangedBesideTheFile() throws Exception {
    balancer.service("a").realServer("rs1").weight(7);
    assertThat(running.current().text()).contains("{name: rs1, address: 192.0.2.21, weight: 7}");
    assertThat(PlanReport.line(running.apply(first))).isEqualTo("service a: changed server rs1");
  }

  @Test
  void shouldDrainEveryServerButThoseThatAreOffline() {
    balancer.service("a").realServer("rs1").offline();
    assertThat(syn("192.0.2.77", 80)).isEqualTo(Verdict.FORWARD);
    running.drain();
    assertThat(balancer.service("a").declaration().servers())
        .extracting(server -> server.activity())
        .containsExactly(Activity.OFFLINE, Activity.DRAIN);
    assertThat(syn("192.0.2.77", 80)).as("known").isEqualTo(Verdict.FORWARD);
    assertThat(syn("192.0.2.78", 80)).as("new").isEqualTo(Verdict.NO_SERVER);
    assertThatThrownBy(() -> running.apply(first)).isInstanceOf(IllegalStateException.class);
  }
}

package io.lb4j.examples.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.examples.CommandRun;
import io.lb4j.examples.live.Rehearsal;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the canonical text promises: it is read back as it was, and there is one for each configuration. */
class CanonicalTextTest {
  private static Configuration random(long seed) {
    return new Configuration("random.yaml", new RandomDeclarations(seed).next(), new SettingLines());
  }

  @Test
  void shouldBeReadBackAsItWas() throws ConfigurationFileException {
    for (long seed = 0; seed < 1000; seed++) {
      Configuration declared = random(seed);
      String text = declared.text();
      Configuration read = Configuration.parse("random.yaml", text);
      assertThat(read).as("seed %d:%n%s", seed, text).isEqualTo(declared);
      assertThat(read.hashCode()).isEqualTo(declared.hashCode());
      assertThat(read.text()).as("seed %d", seed).isEqualTo(text);
    }
  }

  @Test
  void shouldDifferWhereConfigurationsDiffer() {
    for (long seed = 0; seed < 500; seed++) {
      Configuration one = random(seed);
      Configuration other = random(seed + 1);
      assertThat(one.text().equals(other.text())).as("seeds %d and next", seed).isEqualTo(one.equals(other));
    }
  }

  @Test
  void shouldLeaveDefaultsOutAndKeepOneOrder() throws ConfigurationFileException {
    String text =
        """
        unserved: drop
        echo: answer
        workers: 1
        wait-strategy: {work: park, transmit: park}
        announce: {probes: 3, count: 2, enabled: yes, period: 60000ms}
        outbound: []
        services:
          - servers:
              - {weight: 1, address: "2001:DB8:1:0::21", name: rs1, activity: online, tier: 1}
              - {activity: standby, name: "null", address: "2001:db8:1::22", max-connections: {limit: 9, resume-at: 8}}
            mode: dsr
            drain: persistence-driven
            when-removed: {udp: drop}
            when-down: {tcp: reset}
            scheduler: wlc
            persistence: {}
            protocol: tcp
            slow-start: 60s
            port: 1-65535
            vip: ["2001:db8:1::10/128"]
            name: web
        flow-table: {overflow: evict-embryonic, capacity: 1048576}
        interfaces: [{name: eth0, io: auto, addresses: "2001:db8:1:0::5/64", mac: "02:00:00:00:00:0A"}]
        """;
    assertThat(Configuration.parse("web.yaml", text).text())
        .isEqualTo(
            """
            interfaces:
              - name: eth0
                mac: "02:00:00:00:00:0a"
                addresses: ["2001:db8:1::5/64"]
            services:
              - name: web
                vip: "2001:db8:1::10"
                port: any
                protocol: tcp
                mode: dsr
                persistence: {timeout: 5m}
                when-down: {tcp: reset}
                when-removed: drop
                slow-start: 1m
                servers:
                  - {name: rs1, address: "2001:db8:1::21"}
                  - {name: "null", address: "2001:db8:1::22", activity: standby, max-connections: 9}
            """);
  }

  static Stream<Path> samples() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("configs"))) {
      return files.sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void shouldPrintSamples(Path file) throws ConfigurationFileException {
    CommandRun run = CommandRun.lb("check", "--print", file);
    assertThat(run.exit()).as(run.err()).isZero();
    assertThat(Configuration.parse("printed.yaml", run.out())).isEqualTo(Configuration.load(file));
  }

  @Test
  void shouldRefuseWhatNoFileCanDeclare() throws ConfigurationFileException {
    VirtualService service =
        VirtualService.tcp("192.0.2.10", 80)
            .named("web")
            .forwarding(DirectServerReturn.create())
            .scheduler(Schedulers.maglev(HashInputs.SOURCE, 251))
            .build();
    Configuration declared = random(1).withServices(List.of(service));
    assertThatThrownBy(declared::text)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("service web: scheduler");
  }

  /** Whatever is declared, wrong or right, the linter has an answer and no accident. */
  @Test
  void shouldBeLintedWhateverTheyDeclare() {
    Set<String> found = new HashSet<>();
    for (long seed = 1; seed <= 300; seed++) {
      try {
        new Rehearsal(random(seed)).builder().findings().forEach(finding -> found.add(finding.code()));
      } catch (ConfigurationFileException e) {
        e.findings().forEach(finding -> found.add(finding.code()));
      }
    }
    assertThat(found).hasSizeGreaterThan(10);
  }
}

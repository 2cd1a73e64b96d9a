package io.lb4j.examples.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.examples.config.Configuration;
import io.lb4j.pcap.host.HostCheck;
import io.lb4j.pcap.host.HostCheck.Problem;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which findings about the host's kernel concern a configuration. */
class HostRulesTest {
  @ParameterizedTest
  @CsvSource({
    "packet, packet, FORWARDING, '', true",
    "packet, xdp, FORWARDING, '', true",
    "xdp, xdp, FORWARDING, '', false",
    "xdp, packet, FORWARDING, eth0, false",
    "xdp, packet, FORWARDING, eth1, true",
    "auto, pcap, FORWARDING, eth0, true",
    "xdp, xdp, REVERSE_PATH_FILTER, eth0, true",
    "xdp, xdp, ADDRESS_HELD, eth0, true",
  })
  void shouldWarnOfForwardingOnlyWhereTheKernelSeesFrames(
      String first, String second, Problem problem, String interfaceName, boolean concerns) throws Exception {
    Configuration configuration =
        Configuration.parse(
            "lb.yaml",
            """
            interfaces:
              - {name: eth0, io: %s, addresses: [192.0.2.5/24]}
              - {name: eth1, io: %s, addresses: [198.51.100.5/24]}
            services:
              - {name: web, vip: 192.0.2.10, port: 80, protocol: tcp, mode: dsr, servers: [{name: rs1, address: 192.0.2.21}]}
            """.formatted(first, second));
    var finding = new HostCheck.Finding(problem, "a setting", interfaceName, "an effect", "a remedy");
    assertThat(HostRules.concerns(configuration, finding)).isEqualTo(concerns);
  }
}

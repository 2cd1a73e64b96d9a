package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.pcap.HostCheck.Finding;
import io.lb4j.pcap.HostCheck.Problem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostCheckTest {
  private static final IpAddress FREE = IpAddress.of("192.0.2.10");
  private static final IpAddress HELD = IpAddress.of("127.0.0.1");

  @TempDir Path sysctls;

  @Test
  void shouldFindNothingOnAQuietHost() throws Exception {
    set("ipv4/ip_forward", "0\n");
    set("ipv6/conf/all/forwarding", "0\n");
    assertThat(HostCheck.run(List.of(FREE), sysctls)).isEmpty();
  }

  @Test
  void shouldFindAnAddressTheKernelHolds() throws Exception {
    List<Finding> findings = HostCheck.run(List.of(FREE, HELD), sysctls);
    assertThat(findings).hasSize(1);
    assertThat(findings.get(0).problem()).isEqualTo(Problem.ADDRESS_HELD);
    assertThat(findings.get(0).subject()).isEqualTo("127.0.0.1");
    assertThat(findings.get(0).remedy()).contains("ip addr del 127.0.0.1 dev " + findings.get(0).interfaceName());
  }

  @Test
  void shouldFindForwardingOfEitherFamily() throws Exception {
    set("ipv4/ip_forward", "1\n");
    set("ipv6/conf/all/forwarding", "1\n");
    assertThat(HostCheck.run(List.of(), sysctls))
        .extracting(Finding::problem, Finding::subject)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(Problem.FORWARDING, "net.ipv4.ip_forward"),
            org.assertj.core.groups.Tuple.tuple(Problem.FORWARDING, "net.ipv6.conf.all.forwarding"));
  }

  @Test
  void shouldAskThisHostWithoutRights() throws Exception {
    assertThat(HostCheck.run(List.of(FREE))).noneMatch(finding -> finding.problem() == Problem.ADDRESS_HELD);
  }

  private void set(String file, String value) throws Exception {
    Path path = sysctls.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, value);
  }
}

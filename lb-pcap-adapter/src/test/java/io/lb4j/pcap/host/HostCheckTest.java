package io.lb4j.pcap.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.lb4j.address.IpPrefix;
import io.lb4j.pcap.host.HostCheck.Finding;
import io.lb4j.pcap.host.HostCheck.Problem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostCheckTest {
  private static final IpPrefix FREE4 = IpPrefix.of("192.0.2.10/32");
  private static final IpPrefix FREE6 = IpPrefix.of("2001:db8::10/128");
  private static final IpPrefix HELD = IpPrefix.of("127.0.0.0/30");

  @TempDir Path sysctls;

  @BeforeEach
  void quiet() throws Exception {
    set("ipv4/ip_forward", "0\n");
    set("ipv6/conf/all/forwarding", "0\n");
    set("ipv4/conf/all/rp_filter", "0\n");
  }

  private List<Finding> found(BalancerAddresses addresses, String... interfaces) throws Exception {
    return HostCheck.run(addresses, List.of(interfaces), sysctls);
  }

  @Test
  void shouldFindNothingOnAQuietHost() throws Exception {
    set("ipv4/conf/eth0/forwarding", "0\n");
    set("ipv4/conf/eth1/rp_filter", "2\n");
    assertThat(found(BalancerAddresses.of(List.of(FREE4, FREE6)), "eth0", "eth1")).isEmpty();
  }

  @Test
  void shouldFindAnAddressTheKernelHolds() throws Exception {
    List<Finding> findings = found(BalancerAddresses.of(List.of(FREE4, HELD)));
    assertThat(findings).hasSize(1);
    assertThat(findings.get(0).problem()).isEqualTo(Problem.ADDRESS_HELD);
    assertThat(findings.get(0).subject()).isEqualTo("127.0.0.1");
    assertThat(findings.get(0).effect()).contains("resets");
    assertThat(findings.get(0).remedy()).isEqualTo("ip addr del 127.0.0.1/8 dev " + findings.get(0).interfaceName());
  }

  @Test
  void shouldFindForwardingOfEitherFamily() throws Exception {
    set("ipv4/ip_forward", "1\n");
    set("ipv6/conf/all/forwarding", "1\n");
    assertThat(found(BalancerAddresses.of(List.of(FREE4, FREE6))))
        .extracting(Finding::problem, Finding::subject, Finding::remedy)
        .containsExactly(
            tuple(Problem.FORWARDING, "net.ipv4.ip_forward", "sysctl -w net.ipv4.ip_forward=0"),
            tuple(Problem.FORWARDING, "net.ipv6.conf.all.forwarding", "sysctl -w net.ipv6.conf.all.forwarding=0"));
    assertThat(found(BalancerAddresses.of(List.of(FREE6)))).hasSize(1);
    assertThat(found(new BalancerAddresses(List.of(FREE4), List.of(FREE6), List.of()))).as("inside alone").hasSize(2);
  }

  @Test
  void shouldFindForwardingOfOneInterface() throws Exception {
    set("ipv4/conf/eth0.7/forwarding", "1\n");
    set("ipv4/conf/eth9/forwarding", "1\n");
    assertThat(found(BalancerAddresses.of(List.of(FREE4)), "eth0.7"))
        .extracting(Finding::subject, Finding::interfaceName)
        .containsExactly(tuple("net.ipv4.conf.eth0/7.forwarding", "eth0.7"));
  }

  @Test
  void shouldSayWhatForwardingMeansForEachMode() throws Exception {
    set("ipv4/ip_forward", "1\n");
    List<IpPrefix> own = List.of(FREE4);
    List<IpPrefix> inside = List.of(IpPrefix.of("198.51.100.0/24"));
    assertThat(found(BalancerAddresses.of(own)).get(0).effect()).contains("cannot be reached");
    assertThat(found(new BalancerAddresses(own, inside, List.of())).get(0).effect()).contains("leave twice");
  }

  /** The kernel takes the larger of the two. */
  @ParameterizedTest
  @CsvSource({"0, 1, true", "1, 0, true", "1, 1, true", "2, 1, false", "1, 2, false", "0, 0, false"})
  void shouldFindStrictFiltersOfTwoArms(String all, String own, boolean found) throws Exception {
    set("ipv4/conf/all/rp_filter", all);
    set("ipv4/conf/eth0/rp_filter", own);
    set("ipv4/conf/eth1/rp_filter", "2");
    BalancerAddresses addresses = BalancerAddresses.of(List.of(FREE4));
    assertThat(found(addresses, "eth0", "eth1")).extracting(Finding::interfaceName)
        .isEqualTo(found ? List.of("eth0") : List.of());
    assertThat(found(addresses, "eth0")).isEmpty();
  }

  @Test
  void shouldAskThisHostWithoutRights() throws Exception {
    assertThat(HostCheck.run(BalancerAddresses.of(List.of(FREE4)), List.of("lo")))
        .noneMatch(finding -> finding.problem() == Problem.ADDRESS_HELD);
  }

  private void set(String file, String value) throws Exception {
    Path path = sysctls.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, value);
  }
}

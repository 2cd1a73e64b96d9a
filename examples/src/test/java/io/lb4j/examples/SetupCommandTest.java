package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code lb setup} from a file to a script. */
class SetupCommandTest {
  private static final String DIRECT = "configs/dsr.yaml";
  private static final String GATEWAY = "configs/gateway.yaml";

  private static CommandRun setup(String file, String server, String... more) {
    List<Object> arguments = new ArrayList<>(List.of("setup", file, "--server", server));
    arguments.addAll(List.of(more));
    return CommandRun.lb(arguments.toArray());
  }

  @ParameterizedTest
  @CsvSource({
    "iproute2, At once", "systemd-networkd, /etc/systemd/network", "netplan, /etc/netplan",
    "networkmanager, /etc/NetworkManager", "ifupdown, /etc/network/interfaces.d", "ifcfg, ifcfg-lo:1"
  })
  void shouldPrintEachLinuxFlavour(String flavour, String sign) {
    CommandRun run = setup(DIRECT, "rs1", "--os", "linux", "--flavour", flavour);
    assertThat(run.exit()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).startsWith("#!/bin/sh\n").contains("loopback_address -4 192.0.2.10 32\n", sign);
    CommandRun undo = setup(DIRECT, "rs1", "--os", "linux", "--flavour", flavour, "--undo");
    assertThat(undo.out()).startsWith("#!/bin/sh\n# Takes back").doesNotContain("loopback_address");
  }

  @Test
  void shouldTakeIproute2AndPowerShellWithoutAFlavour() {
    assertThat(setup(DIRECT, "rs1", "--os", "linux").out()).contains("begin iproute2 192.0.2.21");
    assertThat(setup(DIRECT, "rs1", "--os", "windows").out()).contains("Set-StrictMode", "'192.0.2.10' 32");
    assertThat(setup(DIRECT, "rs1", "--os", "windows", "--flavour", "netsh", "--interface", "Ethernet 2").out())
        .contains("netsh interface ipv4 set interface \"Ethernet 2\" weakhostreceive=enabled\n");
  }

  /** Both services of the server in one script, with the balancer's address in its subnet. */
  @Test
  void shouldFindModeAndGatewayInTheFile() {
    assertThat(setup(GATEWAY, "s1", "--os", "linux").out())
        .contains("set_route -4 default 192.0.2.5 ", "set_route -6 default 2001:db8:5::5 ", "own_address 192.0.2.11\n");
    assertThat(setup("configs/full-nat.yaml", "s1", "--os", "linux").out()).contains("nothing to do");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "rs9 | linux | iproute2 | eth0 | there are rs1, rs2",
    "rs1 | macos | iproute2 | eth0 | --os is one of linux, windows, not 'macos'",
    "rs1 | linux | netsh | eth0 | --flavour with --os linux is one of iproute2, systemd-networkd",
    "rs1 | windows | netplan | eth0 | powershell, netsh, not 'netplan'",
    "rs1 | linux | iproute2 | eth0;reboot | only letters",
    "rs1 | linux | netplan | lo | is not the interface towards the balancer",
  })
  void shouldRefuseInOneClearLine(String server, String system, String flavour, String device, String reason) {
    CommandRun run = setup(DIRECT, server, "--os", system, "--flavour", flavour, "--interface", device);
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains(reason);
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void shouldAskForTheRequiredOptions() {
    assertThat(CommandRun.lb("setup", DIRECT, "--os", "linux").err()).contains("--server");
    assertThat(CommandRun.lb("setup", DIRECT, "--server", "rs1").err()).contains("--os");
    assertThat(setup(DIRECT, "rs1", "--os", "windows", "--flavour", "netsh").err()).contains("interface");
    assertThat(setup("configs/none.yaml", "rs1", "--os", "linux").exit()).isEqualTo(2);
  }

  /** A machine has one default gateway. */
  @Test
  void shouldRefuseTwoModesOfOneServer(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("both.yaml");
    Files.writeString(file, Files.readString(Path.of(GATEWAY)).replace("outbound:", """
          - name: direct
            vip: 192.0.2.100
            port: 80
            protocol: tcp
            mode: dsr
            servers: [{name: s1, address: 192.0.2.11}]
        outbound:""".indent(0).stripTrailing()));
    CommandRun run = setup(file.toString(), "s1", "--os", "linux");
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).contains("direct and web4", "one default gateway", "contradiction");

    // Under two names it is one machine all the same.
    Files.writeString(file, Files.readString(file).replace("[{name: s1, address", "[{name: d1, address"));
    for (String name : List.of("s1", "d1")) {
      run = setup(file.toString(), name, "--os", "linux");
      assertThat(run.exit()).isEqualTo(2);
      assertThat(run.err()).contains("direct and web4", "contradiction");
    }
  }

  @Test
  void shouldSayWhatTheFileLacks(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("live.yaml");
    Files.writeString(file, Files.readString(Path.of(GATEWAY))
        .replaceAll("(?m)^    addresses: .192.*\n", "").replace("name: eth1", "name: no-such-eth1"));
    CommandRun run = setup(file.toString(), "s1", "--os", "linux");
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).contains("server s1: address: 192.0.2.11", "is in no subnet");
  }
}

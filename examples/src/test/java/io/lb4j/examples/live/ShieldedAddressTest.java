package io.lb4j.examples.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.live.LivePort;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortTraits;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A host that has a virtual address on the balancer's interface, whose addresses the file leaves to the host. */
@Tag("root")
class ShieldedAddressTest {
  private static final String DEVICE = "lbs" + Long.toString(ProcessHandle.current().pid(), 36);

  private boolean made;

  @BeforeEach
  void up() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root to make interfaces");
    made = ip("link", "add", DEVICE, "type", "veth", "peer", "name", DEVICE + "b") == 0;
    assumeTrue(made, "cannot make a veth pair");
    assertThat(ip("addr", "add", "192.0.2.5/24", "dev", DEVICE)).isZero();
    assertThat(ip("addr", "add", "192.0.2.10/32", "dev", DEVICE)).isZero();
  }

  @AfterEach
  void down() throws Exception {
    if (made) {
      ip("link", "del", DEVICE);
    }
  }

  private static int ip(String... arguments) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("ip").inheritIO();
    builder.command().addAll(List.of(arguments));
    return builder.start().waitFor();
  }

  private static void open(Host host) throws Exception {
    Configuration configuration =
        Configuration.parse(
            "lb.yaml",
            """
            interfaces: [{name: %s}]
            flow-table: {capacity: 64}
            services:
              - {name: web, vip: 192.0.2.10, port: 80, protocol: tcp, mode: dsr, monitor: none,
                 servers: [{name: rs1, address: 192.0.2.21}]}
            """.formatted(DEVICE));
    PortTraits traits = new PortTraits(
        MacAddress.of("02:00:00:00:00:01"), 1500, List.of(InterfaceAddress.of("192.0.2.5/24")), true, false, false);
    LiveBalancer.open(
        configuration,
        Path.of("lb.yaml"),
        host,
        options -> List.of(new LivePort(new MemoryPort(DEVICE, traits, 1, 64), LiveIo.PACKET, "in memory", List.of())),
        new PrintWriter(Writer.nullWriter())).close();
  }

  @Test
  void shouldOpenWhereTheKernelIsKeptFromIt() throws Exception {
    open(new Host() {
      @Override
      public void check(Configuration configuration) {}

      @Override
      public List<IpPrefix> hidden(Configuration configuration) {
        return configuration.balancerAddresses();
      }
    });
  }

  @Test
  void shouldRefuseToOpenWhereItIsNot() {
    assertThatThrownBy(() -> open(Host.NONE))
        .isInstanceOf(ConfigurationFileException.class)
        .hasMessageContaining("192.0.2.10");
  }
}

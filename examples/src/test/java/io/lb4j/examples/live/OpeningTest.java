package io.lb4j.examples.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.live.LivePort;
import io.lb4j.pcap.live.LivePorts;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.Port;
import io.lb4j.port.PortException.Cause;
import io.lb4j.port.PortException;
import io.lb4j.port.PortTraits;
import io.lb4j.port.PortWrapper;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** In which order {@code lb run} opens what it needs, and gives it back when the rest cannot be had. */
class OpeningTest {
  private static final Configuration CONFIGURATION = configuration();

  private final List<String> done = new ArrayList<>();
  private final Host host = new RecordingHost();
  private boolean stubborn;

  private static Configuration configuration() {
    try {
      return Configuration.parse("lb.yaml",
          """
          interfaces:
            - {name: test0, mac: "02:00:00:00:00:01", addresses: [192.0.2.5/24]}
            - {name: test1, mac: "02:00:00:00:00:02", addresses: [198.51.100.5/24]}
          flow-table: {capacity: 64}
          announce: {enabled: false}
          services:
            - {name: web, vip: 192.0.2.10, port: 80, protocol: tcp, mode: dsr, monitor: none,
               servers: [{name: rs1, address: 192.0.2.21}]}
          """);
    } catch (ConfigurationFileException e) {
      throw new AssertionError(e);
    }
  }

  /** A host whose shield is only told of. */
  private final class RecordingHost implements Host {
    @Override
    public void check(Configuration configuration) {}

    @Override
    public void raise(Configuration configuration, Consumer<String> said) {
      done.add("shield up");
    }

    @Override
    public void close() {
      done.add("shield down");
    }
  }

  /** Tells when it is closed, and may fail to. */
  private final class RecordingPort extends PortWrapper {
    RecordingPort(MemoryPort port) {
      super(port);
      done.add(port.name() + " open");
    }

    @Override
    public void close() {
      super.close();
      done.add(name() + " closed");
      if (stubborn) {
        throw new IllegalStateException(name() + " is stubborn");
      }
    }
  }

  /** Ports in memory, of a host that has an address on them. */
  private Function<List<LivePorts>, List<LivePort>> ports(String held) {
    return options -> IntStream.range(0, options.size()).mapToObj(i -> port(i, held)).toList();
  }

  private LivePort port(int index, String held) {
    PortTraits traits =
        new PortTraits(
            MacAddress.of("02:00:00:00:00:0" + (index + 1)), 1500, List.of(InterfaceAddress.of(held)), true, false, false);
    Port port = new RecordingPort(new MemoryPort("test" + index, traits, 1, 64));
    return new LivePort(port, LiveIo.PACKET, port.name() + ": in memory", List.of());
  }

  private LiveBalancer open(Function<List<LivePorts>, List<LivePort>> opener) throws ConfigurationFileException {
    return LiveBalancer.open(CONFIGURATION, Path.of("lb.yaml"), host, opener, new PrintWriter(Writer.nullWriter()));
  }

  @Test
  void shouldLowerTheShieldAfterThePortsWhenTheBalancerIsRefused() {
    assertThatThrownBy(() -> open(ports("192.0.2.10/32"))).hasMessageContaining("[vip-held-by-kernel]");
    assertThat(done)
        .containsExactly("shield up", "test0 open", "test1 open", "test1 closed", "test0 closed", "shield down");
  }

  @Test
  void shouldLowerTheShieldWhenNoPortCanBeOpened() {
    PortException refused = new PortException(Cause.NOT_PERMITTED, "test0: CAP_NET_RAW is missing");
    assertThatThrownBy(() -> open(options -> {
      throw refused;
    })).isSameAs(refused);
    assertThat(done).containsExactly("shield up", "shield down");
  }

  @Test
  void shouldLowerTheShieldAfterThePortsAtTheEnd() throws ConfigurationFileException {
    LiveBalancer live = open(ports("192.0.2.5/24"));
    live.close();
    assertThat(done)
        .containsExactly("shield up", "test0 open", "test1 open", "test0 closed", "test1 closed", "shield down");
    assertThat(live.balancer().statistics().holds()).isTrue();
  }

  @Test
  void shouldLowerTheShieldAlsoWhenAPortCannotBeClosed() throws ConfigurationFileException {
    stubborn = true;
    assertThatThrownBy(() -> open(ports("192.0.2.10/32"))).hasMessageEndingWith("is stubborn");
    assertThat(done).endsWith("test1 closed", "test0 closed", "shield down");
    LiveBalancer live = open(ports("192.0.2.5/24"));
    assertThatThrownBy(live::close).hasMessage("test0 is stubborn");
    assertThat(done).endsWith("test0 closed", "test1 closed", "shield down");
  }
}

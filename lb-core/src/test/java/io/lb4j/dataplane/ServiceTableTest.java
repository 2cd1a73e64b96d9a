package io.lb4j.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.Forwarder;
import io.lb4j.forward.DirectForwarding;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.topology.Topology;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The index must answer as a scan of all services does. */
class ServiceTableTest {
  private static final DirectForwarding FORWARDING = new NoForwarding();

  private static final class NoForwarding implements DirectForwarding {
    @Override
    public String name() {
      return "none";
    }

    @Override
    public void check(VirtualService service, Topology topology) {}

    @Override
    public IpAddress nextHop(RealServer server, Topology topology) {
      return server.address();
    }

    @Override
    public FlowTimeouts timeouts() {
      return FlowTimeouts.ONE_DIRECTION;
    }

    @Override
    public Forwarder newForwarder() {
      throw new UnsupportedOperationException("no frame comes here");
    }
  }

  private static List<CompiledService> services(SplittableRandom random, boolean v6, int count) {
    List<VirtualService> declared = new ArrayList<>();
    List<CompiledService> compiled = new ArrayList<>();
    while (compiled.size() < count) {
      Protocol protocol = random.nextBoolean() ? Protocol.TCP : Protocol.UDP;
      VirtualService service =
          VirtualService.of(protocol, ports(random))
              .named("s" + compiled.size())
              .forwarding(FORWARDING)
              .vip(IpPrefix.of(address(random, v6), length(random, v6)))
              .build();
      if (declared.stream().noneMatch(other -> other.conflictsWith(service))) {
        declared.add(service);
        compiled.add(new CompiledService(compiled.size(), service, FORWARDING, Pool.EMPTY, Pool.EMPTY, false, null));
      }
    }
    return compiled;
  }

  private static int length(SplittableRandom random, boolean v6) {
    int host = v6 ? 128 : 32;
    return random.nextInt(3) == 0 ? host - random.nextInt(1, 13) : host;
  }

  private static PortRange ports(SplittableRandom random) {
    int first = random.nextInt(1, 100);
    return switch (random.nextInt(6)) {
      case 0 -> PortRange.ANY;
      case 1, 2 -> PortRange.of(first + "-" + (first + random.nextInt(1, 30)));
      default -> PortRange.of(first);
    };
  }

  private static IpAddress address(SplittableRandom random, boolean v6) {
    int host = random.nextInt(64) << random.nextInt(3) * 3;
    return v6 ? IpAddress.v6(0x2001_0DB8_0005_0000L, host) : IpAddress.v4(0xC633_6000 | host);
  }

  private static IpAddress stranger(SplittableRandom random, boolean v6) {
    int host = random.nextInt(64);
    return v6 ? IpAddress.v6(0x2001_0DB8_0006_0000L, host) : IpAddress.v4(0xCB00_7100 | host);
  }

  private static CompiledService scan(
      List<CompiledService> services, IpAddress address, boolean tcp, int port) {
    return services.stream()
        .filter(s -> s.declaration().protocol() == (tcp ? Protocol.TCP : Protocol.UDP))
        .filter(s -> s.declaration().vips().get(0).contains(address))
        .filter(s -> s.declaration().ports().contains(port))
        .min(
            Comparator.comparingInt((CompiledService s) -> -s.declaration().vips().get(0).length())
                .thenComparingInt(s -> s.declaration().ports().size()))
        .orElse(null);
  }

  @ParameterizedTest
  @CsvSource({"false,10", "true,10", "false,100", "true,100", "false,400", "true,400"})
  void shouldFindTheLongestPrefixAndTheMostExactPortAsALinearScanDoes(boolean v6, int count) {
    SplittableRandom random = new SplittableRandom(count);
    List<CompiledService> services = services(random, v6, count);
    ServiceTable table = new ServiceTable(services);
    int found = 0;
    for (int lookup = 0; lookup < 20_000; lookup++) {
      IpAddress address = random.nextInt(10) == 0 ? stranger(random, v6) : address(random, v6);
      boolean tcp = random.nextBoolean();
      int port = random.nextInt(1, 140);
      CompiledService expected = scan(services, address, tcp, port);
      CompiledService actual = table.find(v6, address.high(), address.low(), tcp, port);
      assertThat(actual).as("%s port %d", address, port).isSameAs(expected);
      found += expected == null ? 0 : 1;
    }
    assertThat(found).as("lookups that find something").isBetween(count, 19_999);
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void shouldFindTenThousandServicesEachByItsOwnAddressAndPort(boolean v6) {
    List<CompiledService> services = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      IpAddress vip = v6 ? IpAddress.v6(0x2001_0DB8_0005_0000L, i / 100) : IpAddress.v4(0xC633_6400 + i / 100);
      VirtualService service =
          VirtualService.of(i % 2 == 0 ? Protocol.TCP : Protocol.UDP, PortRange.of(1 + i % 100))
              .named("s" + i)
              .forwarding(FORWARDING)
              .vip(IpPrefix.host(vip))
              .build();
      services.add(new CompiledService(i, service, FORWARDING, Pool.EMPTY, Pool.EMPTY, false, null));
    }
    ServiceTable table = new ServiceTable(services);
    for (CompiledService service : services) {
      IpAddress vip = service.declaration().vips().get(0).address();
      int port = service.declaration().ports().first();
      boolean tcp = service.declaration().protocol() == Protocol.TCP;
      assertThat(table.find(v6, vip.high(), vip.low(), tcp, port)).isSameAs(service);
      assertThat(table.find(v6, vip.high(), vip.low(), !tcp, port)).isNull();
    }
  }

  private static CompiledService service(int id, Protocol protocol, String ports) {
    VirtualService declared =
        VirtualService.of(protocol, PortRange.of(ports))
            .named("s" + id)
            .forwarding(FORWARDING)
            .vip(IpPrefix.of("198.51.100.10"))
            .build();
    return new CompiledService(id, declared, FORWARDING, Pool.EMPTY, Pool.EMPTY, false, null);
  }

  /** Echo requests for an address go to it: the same service on every instance, however they are declared. */
  @Test
  void shouldNameTheServiceOfTheLowestPortForTheAddressAsAWhole() {
    List<CompiledService> services = new ArrayList<>();
    for (int port = 30; port > 0; port--) {
      services.add(service(services.size(), Protocol.TCP, Integer.toString(port)));
      services.add(service(services.size(), Protocol.UDP, Integer.toString(port)));
    }
    for (int lowest = 1; lowest <= 30; lowest++) {
      assertThat(anyOn(services).declaration().protocol()).isEqualTo(Protocol.TCP);
      assertThat(anyOn(services).declaration().ports()).isEqualTo(PortRange.of(lowest));
      services.remove(services.size() - 2);
      services.remove(services.size() - 1);
    }
    services.add(service(0, Protocol.UDP, "any"));
    assertThat(anyOn(services).declaration().ports()).isEqualTo(PortRange.ANY);
    services.add(service(1, Protocol.UDP, "500-600"));
    services.add(service(2, Protocol.UDP, "300-400"));
    assertThat(anyOn(services).declaration().ports()).isEqualTo(PortRange.of("300-400"));
  }

  private static CompiledService anyOn(List<CompiledService> services) {
    return new ServiceTable(services).anyOn(false, 0, IpAddress.of("198.51.100.10").low());
  }
}

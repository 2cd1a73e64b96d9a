package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.forward.ForwardTarget;
import io.lb4j.forward.Translator;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Workers share the ports of a full-NAT address, and each of them finds those of its own that are free. */
class FullNatPortsTest {
  private static final int INDEX = 1;
  private static final int PORTS = 65_536 - 1024;

  /** One of several workers, with a service of its own. */
  private static final class Worker {
    private final boolean v6;
    private final int workers;
    private final Gateway method;
    private final ForwardTarget server;
    private final Translator translator;
    private final Set<String> given = new HashSet<>();

    Worker(boolean v6, int workers, String... sources) {
      this.v6 = v6;
      this.workers = workers;
      this.method = Gateway.fullNat(sources);
      this.server = new ForwardTarget(IpAddress.of(Network.inside(v6, 1)), 8080, Network.INSIDE, 0);
      VirtualService service =
          VirtualService.tcp(Network.vip(v6), 80)
              .named("web")
              .forwarding(method)
              .realServer("s1", Network.inside(v6, 1), s -> s.port(8080))
              .build();
      this.translator = Workers.worker(Outbound.none(), INDEX, workers, 16_384, service);
    }

    /** Opens a connection; a port that it gets is the worker's and nobody else's. */
    Verdict connect(String client, int port) {
      FrameBuilder syn = FrameBuilder.from(client, Network.vip(v6)).macs(Network.OUTSIDE_MAC, Network.ROUTER_MAC);
      ByteBuf frame = syn.tcp(port, 80, TcpHeader.SYN).build();
      Verdict verdict = translator.open(Workers.view(frame, Network.OUTSIDE), 1, server, method);
      if (verdict == Verdict.FORWARD) {
        Packet out = Packet.of(frame);
        assertThat(out.sourcePort() / 2 % workers).as("owner of port %s", out.sourcePort()).isEqualTo(INDEX);
        assertThat(given.add(out.from())).as("%s given twice", out.from()).isTrue();
      }
      frame.release();
      return verdict;
    }

    int ports() {
      return PORTS / workers;
    }
  }

  @ParameterizedTest(name = "IPv6 {0}, {1} workers")
  @CsvSource({"false,2", "false,16", "false,64", "true,2", "true,16", "true,64"})
  void shouldRefuseNoConnectionWhilePortsAreFree(boolean v6, int workers) {
    Worker worker = new Worker(v6, workers, Network.external(v6, 1));
    for (int n = 0; n < 800; n++) {
      assertThat(worker.connect(Network.peer(v6, 1 + n % 200), 3000 + n / 200)).isEqualTo(Verdict.FORWARD);
    }
  }

  /** The bound on look-ups for one packet costs no more than the last few ports in a hundred. */
  @BothFamilies
  void shouldFindNearlyAllPortsAtTheFirstSynAndTheRestAtLaterOnes(boolean v6) {
    Worker worker = new Worker(v6, 64, Network.external(v6, 1));
    int nearlyAll = worker.ports() * 97 / 100;
    for (int n = 0; n < nearlyAll; n++) {
      assertThat(worker.connect(Network.peer(v6, 1 + n % 200), 3000 + n / 200)).isEqualTo(Verdict.FORWARD);
    }
    for (int n = 0; n < 1000; n++) {
      assertThat(worker.connect(Network.peer(v6, 201), 3000 + n))
          .isIn(Verdict.FORWARD, Verdict.NAT_PORTS_EXHAUSTED);
    }
    assertThat(worker.given).hasSize(worker.ports());
    assertThat(worker.connect(Network.peer(v6, 202), 3000)).isEqualTo(Verdict.NAT_PORTS_EXHAUSTED);
  }

  @BothFamilies
  void shouldGiveOneClientThePortsOfAllAddresses(boolean v6) {
    Worker worker = new Worker(v6, 64, Network.external(v6, 1), Network.external(v6, 2), Network.external(v6, 3));
    int most = worker.ports() * 3 * 95 / 100;
    for (int n = 0; n < most; n++) {
      assertThat(worker.connect(Network.peer(v6, 1), 3000 + n)).isEqualTo(Verdict.FORWARD);
    }
  }

  /** Servers that count connections by address see a client under one, while that one has ports. */
  @BothFamilies
  void shouldKeepAClientAtOneAddressWhileThatHasPorts(boolean v6) {
    Worker worker = new Worker(v6, 16, Network.external(v6, 1), Network.external(v6, 2), Network.external(v6, 3));
    for (int n = 0; n < worker.ports() / 2; n++) {
      assertThat(worker.connect(Network.peer(v6, 1), 3000 + n)).isEqualTo(Verdict.FORWARD);
    }
    assertThat(worker.given.stream().map(from -> from.split(" ")[0]).distinct()).hasSize(1);
  }
}

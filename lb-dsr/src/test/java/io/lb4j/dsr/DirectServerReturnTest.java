package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.core.LoadBalancer;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("memory")
class DirectServerReturnTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int FIN = TcpHeader.FIN | TcpHeader.ACK;
  private static final int RST = TcpHeader.RST;

  private static Lan roundRobin(boolean v6) {
    return new Lan(
        v6, b -> b.service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 2)));
  }

  @ParameterizedTest
  @CsvSource({"false,0", "true,0", "false,1", "true,1", "false,2", "true,2"})
  void shouldChangeBytesZeroToElevenAndNothingElse(boolean v6, int tags) {
    try (Lan lan = roundRobin(v6)) {
      int[] vlans = tags == 0 ? new int[0] : tags == 1 ? new int[] {10} : new int[] {10, 20};
      ByteBuf frame = lan.frame(1).tcp(4000, 80, SYN).vlan(vlans).timeToLive(1).padTo(80).build();
      String before = ByteBufUtil.hexDump(frame);

      assertThat(lan.process(frame, 0, 0)).isEqualTo(Verdict.FORWARD);

      String after = ByteBufUtil.hexDump(frame);
      assertThat(after.substring(24)).isEqualTo(before.substring(24));
      assertThat(after.substring(0, 24)).isEqualTo((Lan.mac(1) + Lan.LB_MAC).replace(":", ""));
      assertThat(lan.path.last().egress()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepAFlowOnItsServerAndScheduleOthersInTurn(boolean v6) {
    try (Lan lan = roundRobin(v6)) {
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, SYN))).isEqualTo("s1");
      assertThat(lan.serverOf(lan.frame(1).tcp(4001, 80, SYN))).isEqualTo("s2");
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, ACK).numbers(2, 9))).isEqualTo("s1");
      assertThat(lan.serverOf(lan.frame(1).tcp(4001, 80, ACK).numbers(2, 9))).isEqualTo("s2");
      assertThat(lan.stats("s1").counts().newFlows()).isEqualTo(1);
      assertThat(lan.stats("s1").counts().frames()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldServeUdp(boolean v6) {
    VirtualService dns =
        Lan.withServers(
                Lan.dns(v6).scheduler(Schedulers.roundRobin()),
                v6,
                2)
            .build();
    try (Lan lan = new Lan(v6, b -> b.service(dns))) {
      assertThat(lan.serverOf(lan.frame(1).udp(4000, 53))).isEqualTo("s1");
      assertThat(lan.serverOf(lan.frame(1).udp(4001, 53))).isEqualTo("s2");
      assertThat(lan.serverOf(lan.frame(1).udp(4000, 53))).isEqualTo("s1");
      lan.after(121_000);
      lan.after(1_000); // the sweep goes in bounded steps
      lan.after(1_000);
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"false,SYN,59000,61000", "true,SYN,59000,61000", "false,EST,899000,901000", "true,EST,899000,901000"})
  void shouldExpireExactlyWhenAFlowWasSilentForItsTimeout(boolean v6, String state, long alive, long gone) {
    try (Lan lan = roundRobin(v6)) {
      lan.serverOf(lan.frame(1).tcp(4000, 80, SYN));
      FrameBuilder again = lan.frame(1).tcp(4000, 80, SYN);
      if (state.equals("EST")) {
        again = lan.frame(1).tcp(4000, 80, ACK).numbers(2, 9);
        lan.serverOf(again);
      }
      lan.nowNs += alive * 1_000_000;
      assertThat(lan.serverOf(again)).isEqualTo("s1");
      lan.nowNs += gone * 1_000_000;
      Verdict late = lan.process(lan.frame(1).tcp(4000, 80, ACK).numbers(2, 9));
      assertThat(late).isEqualTo(Verdict.TCP_NOT_SYN);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldScheduleAReusedPortAnewWithTheSynItself(boolean v6) {
    try (Lan lan = roundRobin(v6)) {
      lan.serverOf(lan.frame(1).tcp(4000, 80, SYN).numbers(100, 0));
      lan.serverOf(lan.frame(1).tcp(4000, 80, ACK).numbers(101, 9));
      lan.serverOf(lan.frame(1).tcp(4000, 80, FIN).numbers(101, 9));
      assertThat(lan.stats("s1").counts().active()).isZero();
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, SYN).numbers(5000, 0))).isEqualTo("s2");
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, SYN).numbers(5000, 0))).isEqualTo("s2");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldBelieveAResetOnlyAtTheNextExpectedSequenceNumber(boolean v6) {
    try (Lan lan = roundRobin(v6)) {
      lan.serverOf(lan.frame(1).tcp(4000, 80, SYN).numbers(100, 0));
      lan.serverOf(lan.frame(1).tcp(4000, 80, ACK).numbers(101, 9).payload((byte) 1, (byte) 2));
      lan.serverOf(lan.frame(1).tcp(4000, 80, RST).numbers(102, 0));
      assertThat(lan.stats("s1").counts().active()).isEqualTo(1);
      lan.serverOf(lan.frame(1).tcp(4000, 80, RST).numbers(103, 0));
      assertThat(lan.stats("s1").counts().active()).isZero();
      lan.serverOf(lan.frame(1).tcp(4000, 80, ACK).numbers(103, 9));
      assertThat(lan.stats("s1").counts().active()).as("it was not the client's reset").isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMoveNoEstablishedFlowWhenServersComeGoAndDrain(boolean v6) {
    try (Lan lan = roundRobin(v6)) {
      Map<Integer, String> placed = new HashMap<>();
      for (int port = 4000; port < 4100; port++) {
        placed.put(port, lan.serverOf(lan.frame(1).tcp(port, 80, SYN)));
      }
      lan.balancer.service("web").addRealServer(server(lan, 3));
      lan.balancer.service("web").realServer("s1").drain();
      for (int port = 4000; port < 4100; port++) {
        assertThat(lan.serverOf(lan.frame(1).tcp(port, 80, ACK).numbers(2, 9))).isEqualTo(placed.get(port));
      }
      for (int port = 5000; port < 5010; port++) {
        assertThat(lan.serverOf(lan.frame(1).tcp(port, 80, SYN))).isNotEqualTo("s1");
      }
      lan.balancer.service("web").removeRealServer("s2");
      for (int port = 4000; port < 4100; port++) {
        Verdict verdict = lan.process(lan.frame(1).tcp(port, 80, ACK).numbers(2, 9));
        assertThat(verdict).isEqualTo(placed.get(port).equals("s1") ? Verdict.FORWARD : Verdict.SERVER_GONE);
      }
    }
  }

  /** Nobody has called for so long; flows' ticks have gone round in 17,592 s. */
  @ParameterizedTest
  @CsvSource({"false,600", "true,600", "false,17600", "true,17600"})
  void shouldGoOnAfterALongTimeWithoutCalls(boolean v6, int seconds) {
    try (Lan lan = roundRobin(v6)) {
      lan.serverOf(lan.frame(1).tcp(4000, 80, SYN).numbers(1, 0));
      lan.serverOf(lan.frame(1).tcp(4000, 80, ACK).numbers(2, 9));
      lan.nowNs += seconds * 1_000_000_000L;
      for (int sent = 0; sent < 3; sent++) {
        Verdict old = lan.process(lan.frame(1).tcp(4000, 80, ACK).numbers(2, 9));
        assertThat(old).as("900 s are over").isEqualTo(seconds < 900 ? Verdict.FORWARD : Verdict.TCP_NOT_SYN);
      }
      lan.nowNs += seconds * 1_000_000_000L;
      assertThat(lan.serverOf(lan.frame(1).tcp(4001, 80, SYN).numbers(1, 0))).isEqualTo("s2");
      assertThat(lan.serverOf(lan.frame(1).tcp(4001, 80, ACK).numbers(2, 9))).isEqualTo("s2");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldOutliveAClockThatRunsBackwards(boolean v6) {
    try (Lan lan = roundRobin(v6)) {
      lan.serverOf(lan.frame(1).tcp(4000, 80, SYN));
      lan.nowNs = -5_000_000_000L;
      assertThat(lan.process(lan.frame(1).tcp(4001, 80, SYN))).isEqualTo(Verdict.FORWARD);
      lan.after(0);
    }
  }

  private static RealServer server(Lan lan, int n) {
    return new RealServer.Options().build("s" + n, io.lb4j.address.IpAddress.of(lan.server(n)));
  }

  @Test
  void shouldRefuseAnotherPort() {
    assertRefused(
        ConfigurationError.PORT_CHANGE, VirtualService.tcp("192.0.2.100", 80), "192.0.2.11", 8080, "8080");
  }

  @Test
  void shouldRefuseAServerOutsideTheSubnet() {
    assertRefused(
        ConfigurationError.SERVER_NOT_ON_LINK, VirtualService.tcp("192.0.2.100", 80), "203.0.113.9", 0, "203.0.113.9");
  }

  @Test
  void shouldRefuseAVipThatIsAnInterfaceAddress() {
    assertRefused(
        ConfigurationError.VIP_IS_INTERFACE_ADDRESS, VirtualService.tcp("192.0.2.5", 80), "192.0.2.11", 0, "192.0.2.5");
  }

  @Test
  void shouldRefuseServicesThatClaimTheSameFrames() {
    VirtualService range =
        VirtualService.of(Protocol.TCP, io.lb4j.service.PortRange.of("70-90"))
            .vip("192.0.2.100")
            .named("one")
            .forwarding(DirectServerReturn.create())
            .build();
    VirtualService other =
        VirtualService.of(Protocol.TCP, io.lb4j.service.PortRange.of("90-99"))
            .vip("192.0.2.100")
            .named("two")
            .forwarding(DirectServerReturn.create())
            .build();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(
            () ->
                LoadBalancer.builder()
                    .networkInterface("eth0", i -> i.mac(Lan.LB_MAC).address("192.0.2.5/24"))
                    .service(range)
                    .service(other)
                    .build())
        .withMessageContaining("one")
        .withMessageContaining("two");
  }

  private static void assertRefused(
      ConfigurationError error, io.lb4j.service.VirtualServiceBuilder service, String server, int port, String text) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(
            () ->
                LoadBalancer.builder()
                    .networkInterface("eth0", i -> i.mac(Lan.LB_MAC).address("192.0.2.5/24"))
                    .service(
                        service
                            .named("web")
                            .forwarding(DirectServerReturn.create())
                            .realServer("s1", server, s -> s.port(port)))
                    .build())
        .withMessageContaining(text)
        .satisfies(e -> assertThat(e.error()).isEqualTo(error));
  }
}

package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.ServerControl;
import io.lb4j.counters.ServerCounts;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of flows whose server is removed, taken offline or called down (HC9, CT8), also of those that rest. */
class LostFlowTest {
  private enum Loss {
    REMOVED,
    OFFLINE,
    DOWN,
    SERVICE_REPLACED
  }

  static Stream<Arguments> losses() {
    return Stream.of(false, true)
        .flatMap(
            v6 ->
                Arrays.stream(Loss.values())
                    .flatMap(
                        loss ->
                            Arrays.stream(LostFlows.Fate.values())
                                .filter(fate -> fate != LostFlows.Fate.KEEP || loss == Loss.DOWN)
                                .flatMap(
                                    fate ->
                                        Stream.of(true, false)
                                            .flatMap(
                                                tcp ->
                                                    Stream.of(0, 5, 40)
                                                        .map(rest -> Arguments.of(v6, loss, fate, tcp, rest))))));
  }

  private static VirtualServiceBuilder service(boolean v6, boolean tcp, LostFlows.Fate fate) {
    String vip = Lan.vip(v6);
    LostFlows fates = new LostFlows(fate, fate);
    VirtualServiceBuilder service =
        (tcp ? VirtualService.tcp(vip, 80) : VirtualService.udp(vip, 80))
            .named("web")
            .forwarding(DirectServerReturn.create())
            .scheduler(Schedulers.roundRobin())
            .whenServerDown(fates);
    return fate == LostFlows.Fate.KEEP ? service : service.whenServerRemoved(fates);
  }

  private static Verdict packet(Lan lan, boolean tcp, int flags) {
    FrameBuilder frame = lan.frame(1);
    int sequence = flags == TcpHeader.SYN ? 1 : 2;
    return lan.process(tcp ? frame.tcp(4000, 80, flags).numbers(sequence, 9) : frame.udp(4000, 80));
  }

  private static void lose(Lan lan, Loss loss) {
    ServerControl server = lan.balancer.service("web").realServer("s1");
    switch (loss) {
      case REMOVED -> server.remove();
      case OFFLINE -> server.offline();
      case DOWN -> server.report(Health.DOWN);
      default -> {
        VirtualService web = lan.balancer.service("web").declaration().withServer("s1", null);
        lan.balancer.apply(lan.balancer.plan(List.of(web.toBuilder().named("other").build())));
      }
    }
  }

  /** Two packets fare alike, whether they come at once or after the table was swept. */
  @ParameterizedTest(name = "IPv6 {0}: {1}, {2}, TCP {3}, after {4} s")
  @MethodSource("losses")
  void shouldDoWithEveryPacketWhatIsDeclared(boolean v6, Loss loss, LostFlows.Fate fate, boolean tcp, int rest) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(service(v6, tcp, fate), v6, 2)))) {
      packet(lan, tcp, TcpHeader.SYN);
      packet(lan, tcp, TcpHeader.ACK);
      assertThat(lan.lastServer()).isEqualTo("s1");
      lose(lan, loss);
      for (int second = 0; second < rest; second++) {
        lan.after(1_000);
      }
      for (int n = 0; n < 2; n++) {
        Verdict verdict = packet(lan, tcp, TcpHeader.ACK);
        switch (fate) {
          case KEEP -> assertThat(verdict + " " + lan.lastServer()).isEqualTo("FORWARD s1");
          case DROP -> assertThat(verdict).isEqualTo(Verdict.SERVER_GONE);
          case RESET -> assertThat(verdict).isEqualTo(Verdict.ANSWER);
          default -> assertThat(verdict + " " + lan.lastServer()).isEqualTo("FORWARD s2");
        }
      }
      if (loss == Loss.OFFLINE || loss == Loss.DOWN) {
        ServerCounts counts = lan.stats("s1").counts();
        boolean lost = fate == LostFlows.Fate.DROP || fate == LostFlows.Fate.RESET;
        assertThat(counts.movedFlows()).isEqualTo(fate == LostFlows.Fate.REPICK ? 1 : 0);
        assertThat(counts.lostFrames()).isEqualTo(lost ? 2 : 0);
      }
      if (tcp) {
        assertThat(lan.process(lan.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(77_000, 0)))
            .as("a SYN begins anew in any case")
            .isEqualTo(Verdict.FORWARD);
        assertThat(lan.lastServer()).isEqualTo("s2");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldResetOnTheVlanOfTheSegment(boolean v6) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(service(v6, true, LostFlows.Fate.RESET), v6, 2)))) {
      packet(lan, true, TcpHeader.SYN);
      lose(lan, Loss.REMOVED);
      long tag = FrameMarks.withVlan(FrameMarks.NONE, 0x2005);
      List<Long> marks = new ArrayList<>();
      ByteBuf segment = lan.frame(1).tcp(4000, 80, TcpHeader.ACK).build();
      Verdict verdict =
          lan.path.process(0, segment, tag | FrameMarks.CHECKSUM_PARTIAL, 0, lan.nowNs, (link, reset, beside) -> {
            reset.release();
            return marks.add(beside);
          });
      segment.release();
      assertThat(verdict).isEqualTo(Verdict.ANSWER);
      assertThat(marks).as("whole, and tagged").containsExactly(tag);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForgetFlowsOfARemovedServerWhenTheirTimeIsOver(boolean v6) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(service(v6, true, LostFlows.Fate.RESET), v6, 2)))) {
      packet(lan, true, TcpHeader.SYN);
      packet(lan, true, TcpHeader.ACK);
      lose(lan, Loss.REMOVED);
      for (int second = 0; second < 902; second++) {
        lan.after(1_000);
        if (second % 100 == 0 && second < 900) {
          assertThat(packet(lan, true, TcpHeader.ACK)).as("a reset puts nothing off").isEqualTo(Verdict.ANSWER);
        }
      }
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
      assertThat(packet(lan, true, TcpHeader.ACK)).isEqualTo(Verdict.TCP_NOT_SYN);
    }
  }

  /** A server that comes back before its flows have noticed has them still; its number is the same. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldGoOnWithAServerThatComesBack(boolean v6) {
    try (Lan lan = new Lan(v6, b -> b.service(Lan.withServers(service(v6, true, LostFlows.Fate.DROP), v6, 2)))) {
      packet(lan, true, TcpHeader.SYN);
      packet(lan, true, TcpHeader.ACK);
      VirtualService before = lan.balancer.service("web").declaration();
      lose(lan, Loss.REMOVED);
      assertThat(packet(lan, true, TcpHeader.ACK)).isEqualTo(Verdict.SERVER_GONE);
      lan.after(5_000);
      lan.balancer.replaceService(before);
      assertThat(packet(lan, true, TcpHeader.ACK)).isEqualTo(Verdict.FORWARD);
      assertThat(lan.lastServer()).isEqualTo("s1");
      assertThat(lan.stats("s1").counts().active()).isEqualTo(1);
    }
  }
}

package io.lb4j.dsr;

import static io.lb4j.dsr.SavedStates.PERSISTENCE;
import static io.lb4j.dsr.SavedStates.SECOND_NS;
import static io.lb4j.dsr.SavedStates.described;
import static io.lb4j.dsr.SavedStates.dns;
import static io.lb4j.dsr.SavedStates.flows;
import static io.lb4j.dsr.SavedStates.lan;
import static io.lb4j.dsr.SavedStates.other;
import static io.lb4j.dsr.SavedStates.restore;
import static io.lb4j.dsr.SavedStates.save;
import static io.lb4j.dsr.SavedStates.threeFlows;
import static io.lb4j.dsr.SavedStates.web;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.flow.TakeOver;
import io.lb4j.frame.Verdict;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.RestoreReport;
import io.lb4j.state.SaveReport;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Flows that move from one balancer to another, whose clock, seed and numbers are others. */
@Tag("memory")
class SavedStateTest {
  /** What the counts of servers have to be: those of their flows, as listed. */
  private static Map<String, String> recounted(Lan lan) {
    Map<String, int[]> sums = new TreeMap<>();
    for (FlowEntry flow : flows(lan)) {
      int[] sum = sums.computeIfAbsent(flow.service() + " " + flow.server().replaceAll("[a-z]", ""), key -> new int[2]);
      sum[0]++;
      sum[1] += flow.state().isClosing() ? 0 : 1;
    }
    Map<String, String> counts = new TreeMap<>();
    sums.forEach((server, sum) -> counts.put(server, sum[0] + " of which active " + sum[1]));
    return counts;
  }

  private static Map<String, String> counts(Lan lan) {
    Map<String, String> counts = new TreeMap<>();
    lan.balancer
        .statistics()
        .services()
        .forEach(
            service ->
                service
                    .servers()
                    .forEach(
                        server ->
                            counts.put(
                                service.name() + " " + server.name().replaceAll("[a-z]", ""),
                                server.counts().flows() + " of which active " + server.counts().active())));
    return counts;
  }

  // ---- round trip --------------------------------------------------------------------------------------------------

  private static void traffic(Lan lan, SplittableRandom random, int frames) {
    int[] flags = {TcpHeader.SYN, TcpHeader.ACK, TcpHeader.ACK, TcpHeader.FIN | TcpHeader.ACK, TcpHeader.RST};
    for (int i = 0; i < frames; i++) {
      FrameBuilder frame = lan.frame(1 + random.nextInt(60));
      int port = 4000 + random.nextInt(5);
      if (random.nextInt(3) == 0) {
        lan.process(frame.udp(port, 53));
      } else {
        int flag = flags[random.nextInt(flags.length)];
        lan.process(frame.tcp(port, 80, flag).numbers(flag == TcpHeader.SYN ? 1 : 2, 9));
      }
      lan.nowNs += random.nextInt(100) * 1_000_000L;
    }
  }

  @ParameterizedTest
  @CsvSource({"1,false", "2,true", "3,false", "4,true"})
  void shouldKnowAfterwardsWhatWasKnownBefore(long seed, boolean v6) {
    try (Lan first = lan(v6, web(v6), dns(v6));
        Lan second = other(v6, web -> web)) {
      traffic(first, new SplittableRandom(seed), 2_000);
      byte[] saved = save(first);
      RestoreReport report = restore(second, saved);
      assertThat(report.flowsSkipped()).isEmpty();
      assertThat(report.flowsRestored()).isEqualTo(flows(first).size()).isGreaterThan(150);
      assertThat(described(second)).containsExactlyInAnyOrderElementsOf(described(first));
      assertThat(counts(second)).isEqualTo(recounted(first));
      assertThat(second.balancer.statistics().flowTable().embryonic())
          .isEqualTo(flows(first).stream().filter(flow -> flow.state().isEmbryonic()).count());
      assertThat(save(second)).as("as long as what was read").hasSameSizeAs(saved);
      assertThat(restore(second, saved).flows())
          .isEqualTo(Map.of(TakeOver.ALREADY_THERE, report.flowsRestored()));
      assertThat(counts(second)).isEqualTo(recounted(first));
    }
  }

  /** The same frames have the same effect at both from then on. */
  @ParameterizedTest
  @CsvSource({"5,false", "6,true", "7,false", "8,true"})
  void shouldTreatWhatFollowsAsTheFirstInstanceWould(long seed, boolean v6) {
    try (Lan first = lan(v6, web(v6), dns(v6));
        Lan second = other(v6, web -> web)) {
      traffic(first, new SplittableRandom(seed), 1_500);
      restore(second, save(first));
      SplittableRandom random = new SplittableRandom(~seed);
      for (FlowEntry flow : flows(first)) {
        FrameBuilder frame =
            FrameBuilder.from(flow.source().toString(), first.vip()).macs(Lan.LB_MAC, Lan.ROUTER_MAC).padTo(60);
        int flag = random.nextBoolean() ? TcpHeader.ACK : TcpHeader.RST;
        FrameBuilder next =
            flow.protocol() == 17
                ? frame.udp(flow.sourcePort(), 53)
                : frame.tcp(flow.sourcePort(), 80, flag).numbers(2 + random.nextInt(2), 9);
        Verdict verdict = first.process(next);
        assertThat(second.process(next)).as("%s", flow).isEqualTo(verdict).isEqualTo(Verdict.FORWARD);
        assertThat(second.lastServer().replaceAll("[a-z]", "")).isEqualTo(first.lastServer().replaceAll("[a-z]", ""));
      }
      assertThat(states(second)).isEqualTo(states(first));
      assertThat(counts(second)).isEqualTo(recounted(first));
    }
  }

  private static Map<String, FlowState> states(Lan lan) {
    Map<String, FlowState> states = new TreeMap<>();
    flows(lan).forEach(flow -> states.put(flow.protocol() + " " + flow.source() + ":" + flow.sourcePort(), flow.state()));
    return states;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSendTheNextSegmentOfAConnectionToItsServer(boolean v6) {
    try (Lan first = lan(v6, web(v6), dns(v6));
        Lan second = other(v6, web -> web)) {
      assertThat(first.serverOf(first.frame(9).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0))).isEqualTo("s1");
      assertThat(first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0))).isEqualTo("s2");
      assertThat(first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("s2");
      FrameBuilder next = second.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9).payload(new byte[100]);
      assertThat(second.process(next)).as("not yet").isEqualTo(Verdict.TCP_NOT_SYN);
      restore(second, save(first));
      assertThat(second.serverOf(next)).isEqualTo("other2");
    }
  }

  /** What is left of a flow's time is what was left, whatever clock the other instance has. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLetAFlowExpireWhenItWouldHave(boolean v6) {
    FlowTimeouts timeouts =
        new FlowTimeouts(
            Duration.ofSeconds(20),
            Duration.ofSeconds(100),
            Duration.ofSeconds(20),
            Duration.ofSeconds(20),
            Duration.ofSeconds(20));
    try (Lan first = lan(v6, web(v6).timeouts(timeouts), dns(v6));
        Lan second = other(v6, web -> web.timeouts(timeouts))) {
      first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      first.nowNs += 60 * SECOND_NS;
      restore(second, save(first));
      second.nowNs += 39 * SECOND_NS;
      assertThat(flows(second)).hasSize(1);
      second.nowNs += 2 * SECOND_NS;
      assertThat(flows(second)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldCountRestoredConnectionsUnderTheLimitAlsoBeyondIt(boolean v6) {
    try (Lan first = lan(v6, web(v6), dns(v6));
        Lan second = other(v6, web -> web.maxConnections(ConnectionLimit.of(7), Overflow.DROP))) {
      for (int client = 1; client <= 9; client++) {
        first.serverOf(first.frame(client).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
        first.serverOf(first.frame(client).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      }
      first.serverOf(first.frame(9).tcp(4000, 80, TcpHeader.RST).numbers(2, 0));
      restore(second, save(first));
      assertThat(second.process(second.frame(10).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.CONNECTION_LIMIT);
      assertThat(second.process(second.frame(8).tcp(4000, 80, TcpHeader.RST).numbers(2, 0))).isEqualTo(Verdict.FORWARD);
      assertThat(second.process(second.frame(10).tcp(4000, 80, TcpHeader.SYN)))
          .as("seven of nine are left")
          .isEqualTo(Verdict.CONNECTION_LIMIT);
      second.serverOf(second.frame(7).tcp(4000, 80, TcpHeader.RST).numbers(2, 0));
      assertThat(second.process(second.frame(10).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.FORWARD);
    }
  }

  /** An upload goes on while a balancer restarts: at 100 Mb/s more than 4 MiB in a third of a second. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSeeTheEndOfAConnectionThatWentOnMeanwhile(boolean v6) {
    try (Lan first = threeFlows(v6);
        Lan second = lan(v6, web(v6))) {
      restore(second, save(first));
      int far = 2 + (1 << 30);
      int half = 1 << 31; // beyond it, a number is behind
      for (int sequence : new int[] {far, far + 100}) {
        second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(sequence, 9).payload(new byte[100]));
        int behind = sequence + half;
        second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(behind, 9).payload(new byte[100]));
      }
      second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(far + 200, 9));
      second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.RST).numbers(far + 200 + half, 0));
      assertThat(flows(second))
          .extracting(FlowEntry::state)
          .containsExactlyInAnyOrder(FlowState.FIN, FlowState.RESET, FlowState.ESTABLISHED);
    }
  }

  /** One segment alone makes no number believed, and one that fits ends the doubt. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotBelieveOneForgedSegmentAboutARestoredConnection(boolean v6) {
    try (Lan first = threeFlows(v6);
        Lan second = lan(v6, web(v6))) {
      restore(second, save(first));
      int forged = 1 << 30;
      second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(forged, 9));
      second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.RST).numbers(forged, 0));
      second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      for (int sent = 0; sent < 3; sent++) {
        second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(forged, 9));
      }
      second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.RST).numbers(forged, 0));
      assertThat(flows(second)).extracting(FlowEntry::state).containsOnly(FlowState.ESTABLISHED);
      second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.RST).numbers(2, 0));
      second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(2, 9));
      second.serverOf(second.frame(3).tcp(4000, 80, TcpHeader.RST).numbers(2, 0));
      assertThat(flows(second))
          .extracting(FlowEntry::state)
          .containsExactlyInAnyOrder(FlowState.RESET, FlowState.FIN, FlowState.RESET);
    }
  }

  // ---- what is not taken over --------------------------------------------------------------------------------------


  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSkipWhatBelongsToServersThatAreNotDeclared(boolean v6) {
    VirtualServiceBuilder two = Lan.withServers(Lan.tcp(v6), v6, 2).persistence(PERSISTENCE);
    try (Lan first = threeFlows(v6);
        Lan second = lan(v6, two);
        Lan without = lan(v6, dns(v6))) {
      byte[] saved = save(first);
      RestoreReport report = restore(second, saved);
      assertThat(report.flows()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 2L, TakeOver.NO_SERVER, 1L));
      assertThat(report.clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 2L, TakeOver.NO_SERVER, 1L));
      report = restore(without, saved);
      assertThat(report.flows()).isEqualTo(Map.of(TakeOver.NO_SERVER, 3L));
      assertThat(report.clients()).isEqualTo(Map.of(TakeOver.NO_SERVER, 3L));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSkipFlowsToWhatIsNotTheServicesAnyMore(boolean v6) {
    VirtualServiceBuilder moved =
        VirtualService.tcp(v6 ? "2001:db8:5::100" : "192.0.2.100", 81)
            .named("web")
            .forwarding(DirectServerReturn.create());
    try (Lan first = threeFlows(v6);
        Lan second = lan(v6, Lan.withServers(moved, v6, 3))) {
      RestoreReport report = restore(second, save(first));
      assertThat(report.flows()).isEqualTo(Map.of(TakeOver.NOT_SERVED, 3L));
      assertThat(report.clients()).as("and it remembers no clients").isEqualTo(Map.of(TakeOver.NO_SERVER, 3L));
    }
  }

  @Test
  void shouldSkipClientsThatWouldBeOthers() {
    VirtualServiceBuilder networks = web(false).persistence(PERSISTENCE.prefixLengths(24, 64));
    try (Lan first = threeFlows(false);
        Lan second = lan(false, networks)) {
      assertThat(restore(second, save(first)).clients()).isEqualTo(Map.of(TakeOver.SETTINGS_DIFFER, 3L));
    }
  }

  @Test
  void shouldSkipWhatHasNoRoom() {
    try (Lan first = lan(false, web(false));
        Lan second = new Lan(false, b -> b.flowTable(16).service(web(false)))) {
      for (int client = 1; client <= 20; client++) {
        first.serverOf(first.frame(client).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
        first.serverOf(first.frame(client).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      }
      assertThat(restore(second, save(first)).flows())
          .isEqualTo(Map.of(TakeOver.TAKEN_OVER, 16L, TakeOver.NO_ROOM, 4L));
      assertThat(second.balancer.statistics().flowTable().evictions()).isZero();
    }
  }

  @Test
  void shouldSkipWhatHasExpiredByTheOtherInstancesTimeouts() {
    FlowTimeouts brief =
        new FlowTimeouts(
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5));
    try (Lan first = threeFlows(false);
        Lan second = lan(false, web(false).timeouts(brief))) {
      first.nowNs += 30 * SECOND_NS;
      assertThat(restore(second, save(first)).flows()).isEqualTo(Map.of(TakeOver.EXPIRED, 3L));
      assertThat(flows(second)).isEmpty();
    }
  }

  @Test
  void shouldNotReplaceAFlowThatIsThere() {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web)) {
      assertThat(second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("other3");
      assertThat(restore(second, save(first)).flows())
          .isEqualTo(Map.of(TakeOver.TAKEN_OVER, 2L, TakeOver.ALREADY_THERE, 1L));
      assertThat(second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("other3");
    }
  }

  // ---- what has changed since --------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSaveWhatWasSeenOfLateAlone(boolean v6) throws IOException {
    try (Lan first = threeFlows(v6);
        Lan second = other(v6, web -> web.persistence(PERSISTENCE))) {
      byte[] all = save(first);
      first.nowNs += 60 * SECOND_NS;
      first.serverOf(first.frame(4).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      first.serverOf(first.frame(2).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
      ByteArrayOutputStream changes = new ByteArrayOutputStream();
      SaveReport report = first.balancer.saveState(changes, Duration.ofSeconds(30));
      assertThat(report).isEqualTo(new SaveReport(2, 1));
      restore(second, all);
      RestoreReport restored = restore(second, changes.toByteArray());
      assertThat(restored.flows()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 1L, TakeOver.ALREADY_THERE, 1L));
      assertThat(restored.clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 1L));
      assertThat(second.serverOf(second.frame(4).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("other1");
    }
  }

  @Test
  void shouldNameTheAddressesOfFlowsAsTheyWere() {
    try (Lan first = threeFlows(true);
        Lan second = other(true, web -> web)) {
      restore(second, save(first));
      assertThat(flows(second))
          .allSatisfy(flow -> assertThat(flow.kind()).isEqualTo(FlowRecord.Kind.DIRECT))
          .extracting(FlowEntry::source)
          .containsExactlyInAnyOrder(
              IpAddress.of(first.client(1)), IpAddress.of(first.client(2)), IpAddress.of(first.client(3)));
    }
  }
}

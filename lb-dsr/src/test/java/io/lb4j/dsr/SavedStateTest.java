package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.flow.TakeOver;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.Overflow;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.state.ClientEntry;
import io.lb4j.state.ClientFilter;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.RestoreReport;
import io.lb4j.state.SaveReport;
import io.lb4j.state.StateStreamException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** State that moves from one balancer to another, whose clock, seed and numbers are others. */
@Tag("memory")
class SavedStateTest {
  private static final long SECOND_NS = 1_000_000_000L;
  private static final SourceIpPersistence PERSISTENCE = SourceIpPersistence.timeout(Duration.ofMinutes(5));

  private static VirtualServiceBuilder web(boolean v6) {
    return Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 3);
  }

  private static VirtualServiceBuilder dns(boolean v6) {
    return Lan.withServers(
        VirtualService.udp(v6 ? "2001:db8:5::100" : "192.0.2.100", 53)
            .named("dns")
            .forwarding(DirectServerReturn.create())
            .scheduler(Schedulers.roundRobin()),
        v6,
        3);
  }

  private static Lan lan(boolean v6, VirtualServiceBuilder... services) {
    return new Lan(
        v6,
        builder -> {
          Arrays.stream(services).forEach(builder::service);
          return builder;
        });
  }

  /** Another instance: seed, clock, order of declaration and names of servers differ. */
  private static Lan other(boolean v6, UnaryOperator<VirtualServiceBuilder> webChange) {
    VirtualServiceBuilder web = Lan.tcp(v6).scheduler(Schedulers.roundRobin());
    for (int n = 3; n >= 1; n--) {
      web.realServer("other" + n, (v6 ? "2001:db8:5::1" : "192.0.2.1") + n);
    }
    Lan lan = new Lan(v6, builder -> builder.service(dns(v6)).service(webChange.apply(web)).seed(99));
    lan.nowNs += 5_000_000 * SECOND_NS;
    lan.path.tick(lan.nowNs, lan::transmit);
    return lan;
  }

  private static byte[] save(Lan lan) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      lan.balancer.saveState(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static RestoreReport restore(Lan lan, byte[] saved) {
    try {
      return lan.balancer.restoreState(new ByteArrayInputStream(saved));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<FlowEntry> flows(Lan lan) {
    return lan.balancer.flows(FlowFilter.all(), 0, 100_000).flows();
  }

  /** All that must be equal on both instances; servers by their addresses, which names may hide. */
  private static List<String> described(Lan lan) {
    return flows(lan).stream()
        .map(
            flow ->
                String.join(
                    " ",
                    flow.kind().toString(),
                    Integer.toString(flow.protocol()),
                    flow.source() + ":" + flow.sourcePort(),
                    flow.destination() + ":" + flow.destinationPort(),
                    flow.service(),
                    flow.server().replaceAll("[a-z]", ""),
                    flow.state().toString(),
                    flow.idle().toString()))
        .toList();
  }

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

  // ---- clients -----------------------------------------------------------------------------------------------------

  private static FrameBuilder synOf(Lan lan, int client, int port) {
    String address = lan.v6 ? "2001:db8:c::" + Integer.toHexString(client) : "198.18." + client / 256 + "." + client % 256;
    return FrameBuilder.from(address, lan.vip()).macs(Lan.LB_MAC, Lan.ROUTER_MAC).padTo(60).tcp(4000, port, TcpHeader.SYN);
  }

  @ParameterizedTest
  @CsvSource({"SERVICE,false", "SERVICE,true", "PORT,false", "GROUP,true", "VIP,false"})
  void shouldSendEveryClientToTheSameServer(PersistenceScope scope, boolean v6) {
    SourceIpPersistence settings = PERSISTENCE.scope(scope);
    try (Lan first = lan(v6, web(v6).group("shop").persistence(settings), dns(v6));
        Lan second = other(v6, web -> web.group("shop").persistence(settings))) {
      Map<Integer, String> servers = new TreeMap<>();
      SplittableRandom random = new SplittableRandom(3);
      for (int client = 1; client <= 900; client++) {
        first.balancer.service("web").realServer("s" + (1 + random.nextInt(3))).weight(random.nextInt(2));
        String server = first.process(synOf(first, client, 80)) == Verdict.FORWARD ? first.lastServer() : "none";
        servers.put(client, server.replaceAll("[a-z]", ""));
        first.balancer.endAllFlows();
      }
      RestoreReport report = restore(second, save(first));
      servers.values().removeIf(String::isEmpty);
      assertThat(report.clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, (long) servers.size()));
      assertThat(servers).hasSizeGreaterThan(500);
      servers.forEach(
          (client, server) -> {
            assertThat(second.serverOf(synOf(second, client, 80))).as("client %s", client).isEqualTo("other" + server);
            second.balancer.endAllFlows();
          });
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForgetAClientWhenItsTimeWouldHaveBeenOver(boolean v6) {
    try (Lan first = lan(v6, web(v6).persistence(PERSISTENCE), dns(v6));
        Lan second = other(v6, web -> web.persistence(PERSISTENCE))) {
      first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      first.nowNs += 100 * SECOND_NS;
      first.balancer.endAllFlows();
      restore(second, save(first));
      assertThat(second.balancer.clients("web", ClientFilter.all(), 10))
          .extracting(ClientEntry::remaining)
          .containsExactly(Duration.ofSeconds(200));
      second.nowNs += 200 * SECOND_NS - 1;
      assertThat(second.balancer.clients("web", ClientFilter.all(), 10)).hasSize(1);
      second.nowNs++;
      assertThat(second.balancer.clients("web", ClientFilter.all(), 10)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldBelieveWhoeverSawAClientLast(boolean v6) {
    try (Lan first = lan(v6, web(v6).persistence(PERSISTENCE), dns(v6));
        Lan second = other(v6, web -> web.persistence(PERSISTENCE))) {
      assertThat(second.serverOf(second.frame(2).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("other3");
      second.nowNs += 60 * SECOND_NS;
      assertThat(second.serverOf(second.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("other2");
      assertThat(first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("s1");
      first.nowNs += 30 * SECOND_NS;
      assertThat(first.serverOf(first.frame(2).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("s2");
      first.balancer.endAllFlows();
      assertThat(restore(second, save(first)).clients())
          .isEqualTo(Map.of(TakeOver.TAKEN_OVER, 1L, TakeOver.ALREADY_THERE, 1L));
      assertThat(second.serverOf(second.frame(1).tcp(4001, 80, TcpHeader.SYN))).as("seen here later").isEqualTo("other2");
      assertThat(second.serverOf(second.frame(2).tcp(4001, 80, TcpHeader.SYN))).as("seen there").isEqualTo("other2");
      assertThat(second.balancer.clients("web", ClientFilter.all().server("other3"), 10)).isEmpty();
    }
  }

  /** Two services that each had their own clients share them on the other instance: the later choice counts. */
  @ParameterizedTest
  @EnumSource(names = {"GROUP", "VIP"})
  void shouldTakeClientsOverIntoAnotherScope(PersistenceScope scope) {
    VirtualServiceBuilder tls =
        Lan.withServers(
                VirtualService.tcp("192.0.2.100", 443).named("tls").forwarding(DirectServerReturn.create()), false, 3)
            .scheduler(Schedulers.roundRobin())
            .group("shop");
    try (Lan first = lan(false, web(false).persistence(PERSISTENCE), tls.persistence(PERSISTENCE));
        Lan second =
            lan(
                false,
                web(false).group("shop").persistence(PERSISTENCE.scope(scope)),
                tls.persistence(PERSISTENCE.scope(scope)))) {
      assertThat(first.serverOf(first.frame(1).tcp(4000, 80, TcpHeader.SYN))).isEqualTo("s1");
      first.nowNs += SECOND_NS;
      first.serverOf(first.frame(2).tcp(4000, 443, TcpHeader.SYN));
      assertThat(first.serverOf(first.frame(1).tcp(4000, 443, TcpHeader.SYN))).isEqualTo("s2");
      first.balancer.endAllFlows();
      restore(second, save(first));
      assertThat(second.serverOf(second.frame(1).tcp(4001, 80, TcpHeader.SYN))).isEqualTo("s2");
      assertThat(second.serverOf(second.frame(1).tcp(4001, 443, TcpHeader.SYN))).isEqualTo("s2");
    }
  }

  // ---- what is not taken over --------------------------------------------------------------------------------------

  private static Lan threeFlows(boolean v6) {
    Lan lan = lan(v6, web(v6).persistence(PERSISTENCE), dns(v6));
    for (int client = 1; client <= 3; client++) {
      lan.serverOf(lan.frame(client).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      lan.serverOf(lan.frame(client).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
    }
    return lan;
  }

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

  // ---- the stream --------------------------------------------------------------------------------------------------

  private static StateStreamException refused(Lan lan, byte[] stream) {
    try {
      lan.balancer.restoreState(new ByteArrayInputStream(stream));
      throw new AssertionError("a stream of " + stream.length + " bytes was taken for whole");
    } catch (StateStreamException e) {
      return e;
    }
  }

  @Test
  void shouldNoticeWhereverAStreamIsCutOff() {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web.persistence(PERSISTENCE))) {
      byte[] saved = save(first);
      long most = 0;
      for (int length = 0; length < saved.length; length++) {
        StateStreamException e = refused(second, Arrays.copyOf(saved, length));
        assertThat(e.report().flowsSkipped()).isIn(Map.of(), Map.of(TakeOver.ALREADY_THERE, 3L));
        most = Math.max(most, e.report().flowsRestored());
      }
      assertThat(most).as("what was whole is taken over").isEqualTo(3);
      assertThat(flows(second)).hasSize(3);
      assertThat(refused(second, Arrays.copyOf(saved, saved.length - 1)))
          .hasMessageContaining("cut off")
          .hasMessageContaining("0 flows and 0 clients were taken over");
    }
  }

  @Test
  void shouldNoticeEveryDamagedByte() {
    try (Lan first = threeFlows(true)) {
      byte[] saved = save(first);
      try (Lan second = other(true, web -> web.persistence(PERSISTENCE))) {
        for (int at = 0; at < saved.length; at++) {
          byte[] damaged = saved.clone();
          damaged[at] ^= (byte) (1 << at % 8);
          assertThat(refused(second, damaged).getMessage()).as("byte %s", at).isNotBlank();
        }
        assertThat(second.balancer.statistics().flowTable().size()).isLessThanOrEqualTo(3);
        assertThat(second.process(second.frame(50).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.FORWARD);
      }
    }
  }

  @Test
  void shouldSayWhatIsWrong() {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web)) {
      byte[] saved = save(first);
      assertThat(refused(second, new byte[0])).hasMessageContaining("no saved state");
      assertThat(refused(second, "web: {vip: 192.0.2.100}".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
          .hasMessageContaining("no saved state");
      byte[] later = saved.clone();
      later[9] = 2;
      assertThat(refused(second, later)).hasMessageContaining("version 2").hasMessageContaining("version 1 is known");
      byte[] flagged = saved.clone();
      flagged[11] = 1;
      assertThat(refused(second, flagged)).hasMessageContaining("flags 1");
      byte[] huge = saved.clone();
      huge[14] = 0x7F; // of the first block's length
      assertThat(refused(second, huge)).hasMessageContaining("block 1").hasMessageContaining("cannot have");
      byte[] damaged = saved.clone();
      damaged[18] ^= 1;
      assertThat(refused(second, damaged)).hasMessageContaining("block 1").hasMessageContaining("checksum");
    }
  }

  private static byte[] block(int type, byte... content) {
    ByteBuffer block = ByteBuffer.allocate(10 + content.length);
    block.putShort((short) type).putInt(content.length).put(content);
    CRC32C checksum = new CRC32C();
    checksum.update(block.array(), 0, 6 + content.length);
    return block.putInt((int) checksum.getValue()).array();
  }

  /** Puts a block behind the first one, which holds two bytes. */
  private static byte[] with(byte[] saved, byte[] block) {
    int at = 12 + 12;
    ByteBuffer stream = ByteBuffer.allocate(saved.length + block.length);
    return stream.put(saved, 0, at).put(block).put(saved, at, saved.length - at).array();
  }

  @Test
  void shouldSkipBlocksOfALaterWriterAndReadNothingBeyondTheEnd() throws IOException {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web)) {
      byte[] saved = with(save(first), block(900, (byte) 1, (byte) 2, (byte) 3));
      ByteArrayInputStream stream = new ByteArrayInputStream(Arrays.copyOf(saved, saved.length + 5));
      assertThat(second.balancer.restoreState(stream).flowsRestored()).isEqualTo(3);
      assertThat(stream.available()).isEqualTo(5);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7})
  void shouldRefuseContentThatNoWriterWrites(int type) {
    SplittableRandom random = new SplittableRandom(type);
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web.persistence(PERSISTENCE))) {
      byte[] saved = save(first);
      for (int i = 0; i < 300; i++) {
        byte[] content = new byte[1 + random.nextInt(100)];
        random.nextBytes(content);
        assertThat(refused(second, with(saved, block(type, content)))).isNotNull();
      }
      assertThat(second.process(second.frame(50).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.FORWARD);
    }
  }

  @Test
  void shouldNoticeThatABlockIsMissing() {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web)) {
      byte[] saved = save(first);
      List<byte[]> blocks = new ArrayList<>();
      for (int at = 12; at < saved.length; ) {
        int length = 10 + ByteBuffer.wrap(saved).getInt(at + 2);
        blocks.add(Arrays.copyOfRange(saved, at, at + length));
        at += length;
      }
      ByteBuffer without = ByteBuffer.allocate(saved.length).put(saved, 0, 12);
      blocks.stream().filter(block -> block[1] != 3).forEach(without::put);
      assertThat(refused(second, Arrays.copyOf(without.array(), without.position())))
          .hasMessageContaining("3 flows")
          .hasMessageContaining("missing");
    }
  }

  /** More than a block holds, and more than is in hand at a time. */
  @Test
  void shouldCarryMoreThanABlockHolds() {
    try (Lan first = new Lan(false, b -> b.flowTable(20_000).service(web(false).persistence(PERSISTENCE)));
        Lan second = new Lan(false, b -> b.flowTable(20_000).service(web(false).persistence(PERSISTENCE)).seed(5))) {
      for (int client = 1; client <= 4_600; client++) {
        first.process(synOf(first, client, 80));
      }
      byte[] saved = save(first);
      assertThat(saved.length).isGreaterThan(4 * (1 << 16));
      RestoreReport report = restore(second, saved);
      assertThat(report.flows()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 4_600L));
      assertThat(report.clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 4_600L));
      assertThat(described(second)).containsExactlyInAnyOrderElementsOf(described(first));
    }
  }

  @Test
  void shouldPassOnTheFailureOfTheStreamItWritesTo() {
    try (Lan first = threeFlows(false)) {
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(
              () ->
                  first.balancer.saveState(
                      new java.io.OutputStream() {
                        @Override
                        public void write(int b) throws IOException {
                          throw new IOException("disk full");
                        }
                      }))
          .withMessage("disk full");
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

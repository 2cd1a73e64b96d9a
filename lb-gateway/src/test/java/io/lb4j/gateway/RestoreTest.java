package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.counters.ServerCounts;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;

/** What is taken over, what is refused and harms nobody, and what is ended by its record. */
class RestoreTest {
  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int PSH = TcpHeader.PSH;

  private static boolean restore(Network net, FlowRecord record) {
    int sessions = net.path.sessions();
    boolean restored = net.path.translator().restore(record);
    assertThat(net.path.sessions()).isEqualTo(sessions + (restored ? 1 : 0));
    return restored;
  }

  private static FlowRecord only(Network net) {
    List<FlowRecord> records = SavedSessionsTest.list(net);
    assertThat(records).hasSize(1);
    return records.get(0);
  }

  /** The session of host 1, port 3000, with the first peer. */
  private static FlowRecord ofHostOne(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      assertThat(net.open(tcp, 1, 3000, net.peer(1), 80).from()).isEqualTo(net.external(1) + " 3000");
      return only(net);
    }
  }

  /** An established session of the web service's first server, which the first peer began from port 3000. */
  private static FlowRecord ofWeb(boolean v6) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      connect(net, 3000);
      return only(net);
    }
  }

  private static void connect(Network net, int port) {
    net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(port, 80, SYN).numbers(1000, 0)).forwarded();
    net.fromInside(net.from(1, net.peer(1)).tcp(8080, port, SYN | ACK).numbers(5000, 1001)).forwarded();
    net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(port, 80, ACK).numbers(1001, 5001)).forwarded();
  }

  private static FlowRecord copy(FlowRecord r, int from, int to, int binding, long detail, long idleNs) {
    return new FlowRecord(
        r.kind(),
        r.protocol(),
        r.source(),
        from,
        r.destination(),
        to,
        r.translated(),
        r.translatedPort(),
        binding,
        r.state(),
        r.sequence(),
        detail,
        idleNs);
  }

  private static FlowRecord withDetail(FlowRecord r, long detail) {
    return copy(r, r.sourcePort(), r.destinationPort(), r.binding(), detail, r.idleNs());
  }

  private static FlowRecord withIdle(FlowRecord r, Duration idle) {
    return copy(r, r.sourcePort(), r.destinationPort(), r.binding(), r.detail(), idle.toNanos());
  }

  private static FlowRecord withBinding(FlowRecord r, int binding) {
    return copy(r, r.sourcePort(), r.destinationPort(), binding, r.detail(), r.idleNs());
  }

  private static FlowRecord withPorts(FlowRecord r, int from, int to) {
    return copy(r, from, to, r.binding(), r.detail(), r.idleNs());
  }

  private static ServerCounts counts(Network net) {
    return net.balancer.statistics().services().get(0).servers().get(0).counts();
  }

  // ---- what a record says --------------------------------------------------------------------------------------

  @BothFamilies
  void shouldTellTheInsideHostFirstWhoeverBegan(boolean v6) {
    try (Network net = Network.nat(v6, b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))) {
      net.open(false, 1, 3000, net.peer(1), 53);
      net.knock(false, net.peer(2), 4000, 3000).forwarded();
      List<FlowRecord> records = SavedSessionsTest.list(net);
      assertThat(records).hasSize(2);
      assertThat(records)
          .allSatisfy(
              record -> {
                assertThat(record.kind()).isEqualTo(FlowRecord.Kind.OUTBOUND);
                assertThat(record.source()).isEqualTo(IpAddress.of(net.inside(1)));
                assertThat(record.sourcePort()).isEqualTo(3000);
                assertThat(record.translated()).isEqualTo(IpAddress.of(net.external(1)));
                assertThat(record.translatedPort()).isEqualTo(3000);
                assertThat(record.binding()).isZero();
                assertThat(record.state()).isEqualTo(FlowState.UDP_FIRST);
              });
      assertThat(records.stream().map(r -> r.destination() + " " + r.destinationPort()))
          .containsExactlyInAnyOrder(net.peer(1) + " 53", net.peer(2) + " 4000");
    }
  }

  @BothFamilies
  void shouldTellTheClientAndTheVirtualAddressOfAService(boolean v6) {
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      connect(net, 3000);
      net.afterSeconds(10);
      FlowRecord record = only(net);
      assertThat(record.kind()).isEqualTo(FlowRecord.Kind.TRANSLATED);
      assertThat(record.source()).isEqualTo(IpAddress.of(net.peer(1)));
      assertThat(record.destination()).isEqualTo(IpAddress.of(net.vip()));
      assertThat(record.destinationPort()).isEqualTo(80);
      assertThat(record.translated()).isNull();
      assertThat(record.state()).isEqualTo(FlowState.ESTABLISHED);
      assertThat(record.sequence()).isEqualTo(1001);
      assertThat(Duration.ofNanos(record.idleNs())).isBetween(Duration.ofMillis(9_500), Duration.ofMillis(10_500));
      assertThat(net.path.serverName(record.binding())).contains("web/s1");
    }
  }

  // ---- refused -------------------------------------------------------------------------------------------------

  @EveryTransport
  void shouldRefuseAnExternalPortThatIsSomebodyElses(boolean v6, boolean tcp) {
    FlowRecord record = ofHostOne(v6, tcp);
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 2, 3000, net.peer(1), 80);
      assertThat(restore(net, record)).isFalse();
      assertThat(net.open(tcp, 2, 3000, net.peer(2), 80).from()).isEqualTo(net.external(1) + " 3000");
    }
  }

  @EveryTransport
  void shouldRefuseAHostsPortThatIsMappedToAnother(boolean v6, boolean tcp) {
    FlowRecord record = ofHostOne(v6, tcp);
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 2, 3000, net.peer(1), 80);
      assertThat(net.open(tcp, 1, 3000, net.peer(3), 80).sourcePort()).isNotEqualTo(3000);
      assertThat(restore(net, record)).isFalse();
    }
  }

  @EveryTransport
  void shouldRefuseAnAddressThatIsInNoPoolAnyMore(boolean v6, boolean tcp) {
    FlowRecord record = ofHostOne(v6, tcp);
    String prefix = Network.prefix(v6);
    try (Network other = Network.options(v6).outbound(b -> b.nat(prefix, Network.external(v6, 2))).open();
        Network ports =
            Network.options(v6).outbound(b -> b.natPorts(prefix, 4000, 5000, Network.external(v6, 1))).open();
        Network routed = Network.options(v6).outbound(b -> b.route(prefix)).open();
        Network none = Network.options(v6).service(Network.web(v6, 1)).open();
        Network served =
            Network.nat(v6, b -> b)) {
      assertThat(List.of(other, ports, routed, none)).noneMatch(net -> restore(net, record));
      served.balancer.addService(
          VirtualService.tcp(Network.external(v6, 1), 3000)
              .named("taken")
              .forwarding(Gateway.create())
              .realServer("s1", Network.inside(v6, 9))
              .build());
      served.afterSeconds(1);
      assertThat(restore(served, record)).as("the port is a service's now").isEqualTo(!tcp);
    }
  }

  @EveryTransport
  void shouldRefuseARoutedSessionOfAHostThatIsTranslatedNow(boolean v6, boolean tcp) {
    FlowRecord record;
    try (Network net = Network.options(v6).outbound(b -> b.route(Network.prefix(v6))).open()) {
      net.open(tcp, 1, 3000, net.peer(1), 80);
      record = only(net);
      assertThat(record.translated()).isNull();
    }
    try (Network net = Network.nat(v6)) {
      assertThat(restore(net, record)).isFalse();
    }
  }

  @BothFamilies
  void shouldRefuseAReplyTupleThatIsTaken(boolean v6) {
    FlowRecord record = ofWeb(v6);
    VirtualServiceBuilder twin =
        VirtualService.tcp(Network.vip(v6), 81)
            .named("twin")
            .forwarding(Gateway.create())
            .realServer("s1", Network.inside(v6, 1), s -> s.port(8080));
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).service(twin).open()) {
      Packet taken = net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 81, SYN).numbers(1, 0)).forwarded();
      assertThat(taken.sourcePort()).isEqualTo(3000);
      assertThat(restore(net, record)).isFalse();
      assertThat(restore(net, withPorts(record, 3001, 80))).as("another port of the client").isTrue();
    }
  }

  @BothFamilies
  void shouldRefuseAVirtualAddressThatIsGoneAndAServerThatIsGone(boolean v6) {
    FlowRecord record = ofWeb(v6);
    VirtualServiceBuilder elsewhere =
        VirtualService.tcp(Network.external(v6, 7), 80)
            .named("web")
            .forwarding(Gateway.create())
            .realServer("s1", Network.inside(v6, 1), s -> s.port(8080));
    try (Network gone = Network.options(v6).service(elsewhere).open();
        Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      assertThat(restore(gone, record)).isFalse();
      for (int binding : new int[] {0, -1, 2, 77, 1 << 20, Integer.MAX_VALUE}) {
        assertThat(restore(net, withBinding(record, binding))).isFalse();
      }
      assertThat(restore(net, record)).isTrue();
    }
  }

  @BothFamilies
  void shouldRefuseAFullNatsSourceThatNoServiceHas(boolean v6) {
    UnaryOperator<Network.Options> full =
        o ->
            o.service(
                VirtualService.udp(Network.vip(v6), 53)
                    .named("dns")
                    .forwarding(Gateway.fullNat(Conversations.fullNat(v6)))
                    .realServer("s1", Network.inside(v6, 1)));
    FlowRecord record;
    try (Network net = full.apply(Network.options(v6)).open()) {
      net.fromOutside(net.to(net.vip(), net.peer(1)).udp(3000, 53)).forwarded();
      record = only(net);
      assertThat(record.translated()).isEqualTo(IpAddress.of(Conversations.fullNat(v6)));
    }
    try (Network net = full.apply(Network.options(v6)).open();
        Network plain = Network.options(v6).service(Network.dns(v6, 1)).open()) {
      assertThat(restore(plain, record)).isFalse();
      assertThat(restore(net, record)).isTrue();
    }
  }

  @BothFamilies
  void shouldRefuseWhatIsOlderThanItsTimeOut(boolean v6) {
    FlowRecord record = ofWeb(v6);
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      assertThat(restore(net, withIdle(record, Duration.ofSeconds(7441)))).isFalse();
      assertThat(restore(net, withIdle(record, Duration.ofDays(900)))).isFalse();
      assertThat(restore(net, withIdle(record, Duration.ofSeconds(-1)))).isFalse();
      assertThat(restore(net, withIdle(record, Duration.ofSeconds(7400)))).isTrue();
      net.afterSeconds(30);
      assertThat(net.path.sessions()).isEqualTo(1);
      net.afterSeconds(20);
      assertThat(net.path.sessions()).as("its age was taken over as well").isZero();
    }
  }

  @BothFamilies
  void shouldRefuseWhatNoTranslatorHasSaved(boolean v6) {
    FlowRecord record = ofWeb(v6);
    long withoutState = record.detail() & ~(31L << 13);
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      for (int state = 0; state < 32; state++) {
        boolean tcp = state > 0 && state != 15 && state < 22 || state == 27 || state == 28;
        assertThat(restore(net, withDetail(withPorts(record, 4000 + state, 80), withoutState | (long) state << 13)))
            .as("state %d", state)
            .isEqualTo(tcp);
      }
      assertThat(restore(net, withPorts(record, -1, 80))).isFalse();
      assertThat(restore(net, withPorts(record, 3000, 65_536))).isFalse();
      IpAddress other = IpAddress.of(Network.peer(!v6, 1));
      FlowRecord mixed =
          new FlowRecord(
              record.kind(), 6, other, 1, record.destination(), 80, null, 0, 1, record.state(), 0, record.detail(), 0);
      assertThat(restore(net, mixed)).isFalse();
      FlowRecord direct =
          new FlowRecord(
              FlowRecord.Kind.DIRECT,
              6,
              record.source(),
              1,
              record.destination(),
              80,
              null,
              0,
              1,
              FlowState.ESTABLISHED,
              0,
              record.detail(),
              0);
      assertThat(restore(net, direct)).isFalse();
      assertThat(net.path.translator().end(direct)).isFalse();
    }
  }

  @EveryTransport
  void shouldTakeNoRoomFromSessionsThatAreThere(boolean v6, boolean tcp) {
    FlowRecord halfOpen = ofHostOne(v6, tcp);
    FlowRecord established = ofWeb(v6);
    try (Network net = Network.options(v6).sessions(16).nat(b -> b).service(Network.web(v6, 1)).open()) {
      for (int n = 0; n < 4; n++) {
        net.open(tcp, 2, 3001 + n, net.peer(1), 80);
      }
      assertThat(restore(net, halfOpen)).as("half-open sessions have a quarter").isFalse();
      int restored = 0;
      for (int port = 5000; port < 5100; port++) {
        restored += restore(net, withPorts(established, port, 80)) ? 1 : 0;
      }
      assertThat(restored).isEqualTo(12);
      assertThat(net.path.sessions()).isEqualTo(16);
      assertThat(net.open(tcp, 2, 3001, net.peer(1), 80).sourcePort()).as("still there").isEqualTo(3001);
    }
  }

  // ---- taken over ----------------------------------------------------------------------------------------------

  @BothFamilies
  void shouldCountWhatIsTakenOverAsFlowsAndNotAsNew(boolean v6) {
    FlowRecord record = ofWeb(v6);
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      assertThat(restore(net, record)).isTrue();
      assertThat(counts(net).flows()).isEqualTo(1);
      assertThat(counts(net).active()).isEqualTo(1);
      assertThat(counts(net).newFlows()).isZero();
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.RST).numbers(1001, 0)).forwarded();
      assertThat(counts(net).active()).isZero();
      FlowRecord closing = only(net);
      assertThat(closing.state()).isEqualTo(FlowState.RESET);
      assertThat(net.path.translator().end(closing)).isTrue();
      assertThat(restore(net, closing)).isTrue();
      assertThat(counts(net).flows()).isEqualTo(1);
      assertThat(counts(net).active()).isZero();
    }
  }

  /** The first 13 bits of both next numbers come along: a blind reset still ends nothing. */
  @BothFamilies
  void shouldStillBelieveResetsAtTheNextNumberOnly(boolean v6) {
    FlowRecord record = ofWeb(v6);
    try (Network net = Network.options(v6).service(Network.web(v6, 1)).open()) {
      assertThat(restore(net, record)).isTrue();
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.RST).numbers(1002, 0)).forwarded();
      net.fromInside(net.from(1, net.peer(1)).tcp(8080, 3000, TcpHeader.RST).numbers(5002, 0)).forwarded();
      assertThat(only(net).state()).isEqualTo(FlowState.ESTABLISHED);
      net.fromInside(net.from(1, net.peer(1)).tcp(8080, 3000, TcpHeader.RST).numbers(5001, 0)).forwarded();
      assertThat(only(net).state()).isEqualTo(FlowState.RESET);
    }
  }

  @EveryTransport
  void shouldGiveAPortThatWasTakenOverToNobodyElse(boolean v6, boolean tcp) {
    FlowRecord record = ofHostOne(v6, tcp);
    try (Network net = Network.nat(v6)) {
      assertThat(restore(net, record)).isTrue();
      assertThat(net.open(tcp, 2, 3000, net.peer(1), 80).sourcePort()).isNotEqualTo(3000);
      assertThat(net.open(tcp, 1, 3000, net.peer(2), 80).sourcePort()).as("the host's own").isEqualTo(3000);
      assertThat(net.path.translator().end(record)).isTrue();
      assertThat(net.open(tcp, 3, 3000, net.peer(1), 80).sourcePort()).as("still in use").isNotEqualTo(3000);
    }
  }

  @EveryTransport
  void shouldAdmitWhomTheFilterAdmittedAndNobodyElse(boolean v6, boolean tcp) {
    FlowRecord record = ofHostOne(v6, tcp);
    try (Network net = Network.nat(v6)) {
      assertThat(restore(net, record)).isTrue();
      assertThat(net.knock(tcp, net.peer(1), 81, 3000).verdict()).isEqualTo(Verdict.FORWARD);
      Verdict stranger = tcp ? Verdict.HOLD : Verdict.FILTERED;
      assertThat(net.knock(tcp, net.peer(2), 80, 3000).verdict()).isEqualTo(stranger);
    }
  }

  /**
   * A header that was not sent yet is sent by the instance that gets the first data; one that was sent is remembered.
   */
  @BothFamilies
  void shouldSendTheProxyHeaderOnceWhicheverInstanceSeesTheFirstData(boolean v6) {
    int header = v6 ? 52 : 28;
    FlowRecord waiting;
    FlowRecord sent;
    int port;
    try (Network net = proxied(v6)) {
      port = net.fromOutside(toProxied(net, SYN, 1000, 0)).forwarded().sourcePort();
      FlowRecord opening = only(net);
      try (Network other = proxied(v6)) {
        assertThat(restore(other, opening)).isTrue();
        fromProxied(other, port, SYN | ACK, 5000, 1001).forwarded();
        other.fromOutside(toProxied(other, ACK, 1001, 5001)).forwarded();
        assertThat(other.fromOutside(toProxied(other, ACK | PSH, 1001, 5001).payload(new byte[10])).sent()).hasSize(2);
      }
      fromProxied(net, port, SYN | ACK, 5000, 1001).forwarded();
      net.fromOutside(toProxied(net, ACK, 1001, 5001)).forwarded();
      waiting = only(net);
    }
    try (Network net = proxied(v6)) {
      assertThat(restore(net, waiting)).isTrue();
      Network.Result first = net.fromOutside(toProxied(net, ACK | PSH, 1001, 5001).payload(new byte[10]));
      assertThat(first.sent()).hasSize(2);
      assertThat(first.sent().get(0).payload()).hasSize(header);
      assertThat(first.sent().get(1).sequence()).isEqualTo(1001 + header);
      sent = only(net);
    }
    try (Network net = proxied(v6)) {
      assertThat(restore(net, sent)).isTrue();
      Packet next = net.fromOutside(toProxied(net, ACK | PSH, 1011, 5001).payload(new byte[10])).forwarded();
      assertThat(next.sequence()).isEqualTo(1011 + header);
      Packet reply = fromProxied(net, port, ACK, 5001, 1011 + header).forwarded();
      assertThat(reply.acknowledgment()).isEqualTo(1011);
      assertThat(net.path.translator().end(only(net))).isTrue();
      net.fromOutside(toProxied(net, SYN, 9000, 0)).forwarded();
      fromProxied(net, port, SYN | ACK, 5000, 9001).forwarded();
      net.fromOutside(toProxied(net, ACK, 9001, 5001)).forwarded();
      assertThat(net.fromOutside(toProxied(net, ACK | PSH, 9001, 5001).payload(new byte[10])).sent())
          .as("nothing is left of the connection before")
          .hasSize(2);
    }
  }

  /** An instance that was told in the midst of the handshake knows where the header belongs, or waits to be told. */
  @BothFamilies
  void shouldPutTheProxyHeaderBehindTheSynWhoeverSawTheAnswer(boolean v6) {
    FlowRecord answered;
    int port;
    try (Network net = proxied(v6)) {
      port = net.fromOutside(toProxied(net, SYN, 1000, 0)).forwarded().sourcePort();
      fromProxied(net, port, SYN | ACK, 0x7777_5000, 1001).forwarded();
      answered = only(net);
    }
    long withoutHeader = answered.detail() & 0x000F_FFFFL;
    FlowRecord old = copy(answered, 3000, 80, answered.binding(), withoutHeader, answered.idleNs());
    assertThat(answered.detail() - withoutHeader).isEqualTo(1001L << 32 | 1 << 23 | 1 << 20);
    for (FlowRecord record : List.of(answered, old)) {
      try (Network net = proxied(v6)) {
        assertThat(restore(net, record)).isTrue();
        assertThat(only(net).detail()).isEqualTo(record.detail());
        FrameBuilder beyond = toProxied(net, ACK | PSH, 1011, 0x7777_5001).payload(new byte[10]);
        net.fromOutside(beyond).droppedSilently(Verdict.NAT_PROTOCOL);
        net.fromOutside(toProxied(net, ACK, 1001, 0x7777_5001 + 8192)).droppedSilently(Verdict.NAT_PROTOCOL);
        if (record == old) {
          net.fromOutside(toProxied(net, ACK, 1001, 0x7777_5001)).droppedSilently(Verdict.NAT_PROTOCOL);
          fromProxied(net, port, SYN | ACK, 0x7777_5000, 1001).forwarded();
        }
        Network.Result first = net.fromOutside(toProxied(net, ACK | PSH, 1001, 0x7777_5001).payload(new byte[10]));
        assertThat(first.sent()).hasSize(2);
        assertThat(first.sent().get(0).sequence()).isEqualTo(1001);
        assertThat(first.sent().get(0).payload()).isEqualTo(FullNatTest.header(net, 80));
        assertThat(first.sent().get(1).sequence()).isEqualTo(1001 + (v6 ? 52 : 28));
      }
    }
  }

  private static Network proxied(boolean v6) {
    return Network.options(v6)
        .service(
            VirtualService.tcp(Network.vip(v6), 80)
                .named("web")
                .forwarding(Gateway.fullNat(Conversations.fullNat(v6)).withProxyProtocol())
                .realServer("s1", Network.inside(v6, 1), s -> s.port(8080)))
        .open();
  }

  private static FrameBuilder toProxied(Network net, int flags, int sequence, int acknowledgment) {
    return net.to(net.vip(), net.peer(1)).tcp(3000, 80, flags).numbers(sequence, acknowledgment);
  }

  private static Network.Result fromProxied(Network net, int port, int flags, int sequence, int acknowledgment) {
    return net.fromInside(
        net.from(1, Conversations.fullNat(net.v6)).tcp(8080, port, flags).numbers(sequence, acknowledgment));
  }

  // ---- ended ---------------------------------------------------------------------------------------------------

  @EveryTransport
  void shouldEndExactlyTheSessionOfARecord(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 1, 3000, net.peer(1), 80);
      FlowRecord record = only(net);
      net.open(tcp, 1, 3000, net.peer(2), 80);
      assertThat(net.path.translator().end(record)).isTrue();
      assertThat(net.path.translator().end(record)).as("it is gone").isFalse();
      assertThat(only(net).destination()).isEqualTo(IpAddress.of(net.peer(2)));
      Verdict refused = tcp ? Verdict.HOLD : Verdict.FILTERED;
      assertThat(net.knock(tcp, net.peer(1), 80, 3000).verdict()).as("its filter went with it").isEqualTo(refused);
      assertThat(net.knock(tcp, net.peer(2), 81, 3000).verdict()).isEqualTo(Verdict.FORWARD);
    }
  }

  @BothFamilies
  void shouldEndNoSessionThatIsAnotherOneByNow(boolean v6) {
    FlowRecord record = ofWeb(v6);
    try (Network net = Network.options(v6).service(Network.web(v6, 2)).open()) {
      connect(net, 3000);
      assertThat(net.path.translator().end(withBinding(record, 2))).as("of another server").isFalse();
      FlowRecord outbound =
          new FlowRecord(
              FlowRecord.Kind.OUTBOUND,
              6,
              record.source(),
              3000,
              record.destination(),
              80,
              null,
              0,
              0,
              record.state(),
              0,
              0,
              0);
      assertThat(net.path.translator().end(outbound)).isFalse();
      assertThat(net.path.sessions()).isEqualTo(1);
      assertThat(net.path.translator().end(withBinding(record, only(net).binding()))).isTrue();
      assertThat(net.path.sessions()).isZero();
    }
  }
}

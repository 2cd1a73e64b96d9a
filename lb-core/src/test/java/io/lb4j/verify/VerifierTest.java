package io.lb4j.verify;

import static io.lb4j.verify.Fault.GATEWAY_DETOUR;
import static io.lb4j.verify.Fault.GATEWAY_NOT_US;
import static io.lb4j.verify.Fault.MTU_TOO_SMALL;
import static io.lb4j.verify.Fault.PORT_CLOSED;
import static io.lb4j.verify.Fault.REPLY_WRONG_SOURCE;
import static io.lb4j.verify.Fault.SERVER_ANSWERS_ARP;
import static io.lb4j.verify.Fault.SERVER_FILTERED;
import static io.lb4j.verify.Fault.SERVER_HAS_WRONG_MAC;
import static io.lb4j.verify.Fault.SERVER_SILENT;
import static io.lb4j.verify.Fault.SERVER_WRONG_SUBNET;
import static io.lb4j.verify.Fault.SERVICE_FILTERED;
import static io.lb4j.verify.Fault.SERVICE_NOT_ON_VIP;
import static io.lb4j.verify.Fault.STRICT_RP_FILTER;
import static io.lb4j.verify.Fault.UDP_WRONG_SOURCE;
import static io.lb4j.verify.Fault.VIP_LEAKED;
import static io.lb4j.verify.Fault.VIP_MISSING;
import static io.lb4j.verify.Fault.VIP_ON_NIC;
import static io.lb4j.verify.Fault.VIP_WRONG_MASK;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.service.Protocol;
import io.lb4j.topology.Link;
import io.lb4j.wire.EthernetHeader;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each fault of one server, played by frames, is found, and no other. */
@Tag("one-jdk")
final class VerifierTest {
  private static final MacAddress OWN_MAC = MacAddress.of("02:00:00:00:00:05");
  private static final long FIRST_ROUND_NS = 750_000_000L;
  private static final MacAddress STRANGER = MacAddress.of("02:00:00:00:00:99");

  private ScriptedPort port;
  private Link link;
  private FakeServer server;
  private boolean v6;
  private IpAddress vip;
  private IpAddress vip2;

  private void start(boolean isV6, boolean direct, String... gateways) {
    v6 = isV6;
    port = new ScriptedPort(OWN_MAC);
    link =
        new Link(
            0,
            "eth0",
            OWN_MAC,
            1500,
            List.of(InterfaceAddress.of("192.0.2.5/24"), InterfaceAddress.of("2001:db8:5::5/64")),
            false,
            false,
            false,
            Arrays.stream(gateways).map(IpAddress::of).toList());
    vip = IpAddress.of(v6 ? "2001:db8:5::100" : "192.0.2.100");
    vip2 = IpAddress.of(v6 ? "2001:db8:5::130" : "192.0.2.130");
    server =
        new FakeServer(
            link,
            IpAddress.of(v6 ? "2001:db8:5::11" : "192.0.2.11"),
            IpAddress.of(v6 ? "2001:db8:5::5" : "192.0.2.5"),
            IpPrefix.of(v6 ? "2001:db8:5::/64" : "192.0.2.0/24"));
    if (direct) {
      server.holding(vip, vip2);
    }
    port.host(server::onFrame);
  }

  private ServerCheck check(ServerCheck.Mode mode, Protocol protocol, int number, IpAddress... vips) {
    return new ServerCheck(
        protocol.name(), "s1", server.address, mode, List.of(vips), protocol, number, List.of());
  }

  private Verifier verifier(ServerCheck.Mode mode) {
    IpAddress far = IpAddress.of(v6 ? "2001:db8:c::100" : "198.51.100.100");
    IpAddress[] vips = mode == ServerCheck.Mode.DIRECT ? new IpAddress[] {vip, vip2} : new IpAddress[] {far};
    return Verifier.of(
            List.of(new VerifiedLink(link, port, Set.of())),
            List.of(check(mode, Protocol.TCP, 80, vips), check(mode, Protocol.UDP, 53, vips)))
        .clock(port::nanoTime);
  }

  private VerifyReport verify(ServerCheck.Mode mode) {
    VerifyReport report = verifier(mode).run();
    assertThat(port.sent).noneMatch(this::claimsAVirtualAddress);
    report.faults().forEach(VerifierTest::assertComplete);
    return report;
  }

  /** An ARP packet or advertisement of ours that says that we have a virtual address. */
  private boolean claimsAVirtualAddress(byte[] frame) {
    boolean arp = frame[12] == 8 && frame[13] == 6;
    boolean advertisement = frame[12] == (byte) 0x86 && frame[20] == 58 && frame[54] == (byte) 136;
    int at = arp ? 28 : 62;
    return (arp || advertisement)
        && List.of(vip, vip2).stream()
            .map(IpAddress::octets)
            .anyMatch(octets -> Arrays.equals(octets, Arrays.copyOfRange(frame, at, at + octets.length)));
  }

  private static void assertComplete(Diagnosis fault) {
    assertThat(fault.text()).isNotBlank();
    assertThat(fault.services()).isNotEmpty();
    assertThat(fault.evidence()).isNotEmpty().allSatisfy(evidence -> {
      assertThat(evidence.words()).contains(" > ");
      assertThat(HexFormat.of().parseHex(evidence.hex())).hasSizeGreaterThanOrEqualTo(42);
    });
  }

  private static List<Fault> faults(VerifyReport report) {
    return report.faults().stream().map(Diagnosis::fault).distinct().toList();
  }

  /** What is wrong with a server of Direct Server Return, and what has to be found for IPv4 and IPv6. */
  private enum Broken {
    NOTHING(test -> {}, null, null),
    DEAD(test -> test.server.dead = true, SERVER_SILENT, SERVER_SILENT),
    NO_VIP(test -> test.server.held.clear(), VIP_MISSING, VIP_MISSING),
    ROUTER(
        test -> {
          test.server.held.clear();
          test.server.forwards = true;
        },
        VIP_MISSING,
        VIP_MISSING),
    ARP_IGNORE_0(test -> test.server.answersArp = true, SERVER_ANSWERS_ARP, null),
    ON_NIC(test -> test.server.onNic.add(test.vip), VIP_ON_NIC, VIP_ON_NIC),
    BOTH_ON_NIC(test -> test.server.onNic.addAll(test.server.held), SERVER_ANSWERS_ARP, VIP_ON_NIC),
    LEAK(test -> test.server.leaks = true, VIP_LEAKED, null),
    RP_FILTER(test -> test.server.strictForClients = true, STRICT_RP_FILTER, null),
    RP_FILTER_HERE(test -> test.server.strictForBalancer = true, STRICT_RP_FILTER, null),
    MASK_OF_SUBNET(test -> test.swallow(test.server.subnet, true), VIP_WRONG_MASK, VIP_WRONG_MASK),
    MASK_OF_SUBNET_UNCHECKED(test -> test.swallow(test.server.subnet, false), SERVER_FILTERED, VIP_WRONG_MASK),
    NARROW_MASK(test -> test.swallow(IpPrefix.of("192.0.2.100/30"), false), VIP_WRONG_MASK, null),
    FILTER(test -> test.server.filtered = true, SERVER_FILTERED, SERVER_FILTERED),
    CLOSED(test -> test.server.ports.clear(), PORT_CLOSED, PORT_CLOSED),
    BOUND_TO_OWN(test -> test.server.listening.removeAll(test.server.held), SERVICE_NOT_ON_VIP, SERVICE_NOT_ON_VIP),
    PORT_FILTER(test -> test.server.silentPort = true, SERVICE_FILTERED, SERVICE_FILTERED),
    PORT_PROHIBITED(test -> test.server.prohibitsPort = true, SERVICE_FILTERED, SERVICE_FILTERED),
    WILDCARD(test -> test.server.wildcardUdp = true, UDP_WRONG_SOURCE, UDP_WRONG_SOURCE),
    SOURCE_NAT(test -> test.server.replySource = test.server.address, REPLY_WRONG_SOURCE, REPLY_WRONG_SOURCE),
    SMALL_MTU(test -> test.server.mtu = 1400, MTU_TOO_SMALL, MTU_TOO_SMALL),
    WRONG_MAC(test -> test.server.balancerMac = STRANGER, SERVER_HAS_WRONG_MAC, SERVER_HAS_WRONG_MAC),
    WRONG_SUBNET(test -> test.server.repliesBy = FakeServer.ROUTER, SERVER_WRONG_SUBNET, SERVER_WRONG_SUBNET);

    private final Consumer<VerifierTest> breaks;
    private final Fault v4;
    private final Fault v6;

    Broken(Consumer<VerifierTest> breaks, Fault v4, Fault v6) {
      this.breaks = breaks;
      this.v4 = v4;
      this.v6 = v6;
    }

    List<Fault> faults(boolean isV6) {
      Fault fault = isV6 ? v6 : v4;
      return fault == null ? List.of() : List.of(fault);
    }
  }

  private void swallow(IpPrefix prefix, boolean checked) {
    server.swallowed = prefix;
    server.checksSources = checked;
  }

  @ParameterizedTest
  @EnumSource
  void shouldFindExactlyWhatIsWrongWithADirectServerOfIpv4(Broken broken) {
    start(false, true);
    broken.breaks.accept(this);
    assertThat(faults(verify(ServerCheck.Mode.DIRECT))).isEqualTo(broken.faults(false));
  }

  @ParameterizedTest
  @EnumSource
  void shouldFindExactlyWhatIsWrongWithADirectServerOfIpv6(Broken broken) {
    start(true, true);
    broken.breaks.accept(this);
    assertThat(faults(verify(ServerCheck.Mode.DIRECT))).isEqualTo(broken.faults(true));
  }

  /** What is wrong with a server of the gateway. */
  private enum Turned {
    NOTHING(test -> {}, null),
    DEAD(test -> test.server.dead = true, SERVER_SILENT),
    NO_GATEWAY(test -> test.server.gateway = FakeServer.Gateway.NONE, GATEWAY_NOT_US),
    OTHER_GATEWAY(test -> test.server.gateway = FakeServer.Gateway.ASKED_FOR, GATEWAY_NOT_US),
    DETOUR(test -> test.server.gateway = FakeServer.Gateway.BY_ROUTER, GATEWAY_DETOUR),
    CLOSED(test -> test.server.ports.clear(), PORT_CLOSED),
    PORT_FILTER(test -> test.server.silentPort = true, SERVICE_FILTERED),
    FILTER(test -> test.server.filtered = true, SERVER_FILTERED),
    SOURCE_NAT(
        test -> test.server.replySource = IpAddress.of(test.v6 ? "2001:db8:5::77" : "192.0.2.77"), REPLY_WRONG_SOURCE),
    SMALL_MTU(test -> test.server.mtu = 1400, MTU_TOO_SMALL),
    WRONG_MAC(test -> test.server.balancerMac = STRANGER, SERVER_HAS_WRONG_MAC);

    private final Consumer<VerifierTest> breaks;
    private final Fault fault;

    Turned(Consumer<VerifierTest> breaks, Fault fault) {
      this.breaks = breaks;
      this.fault = fault;
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldFindExactlyWhatIsWrongWithAServerOfTheGateway(Turned turned) {
    for (boolean isV6 : new boolean[] {false, true}) {
      start(isV6, false);
      turned.breaks.accept(this);
      assertThat(faults(verify(ServerCheck.Mode.GATEWAY)))
          .isEqualTo(turned.fault == null ? List.of() : List.of(turned.fault));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAskForNoGatewayWithFullNat(boolean isV6) {
    start(isV6, false);
    server.gateway = FakeServer.Gateway.NONE;
    assertThat(verify(ServerCheck.Mode.FULL_NAT).isWell()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindAStrangerWithTheVirtualAddress(boolean isV6) {
    start(isV6, true);
    FakeServer stranger = new FakeServer(link, vip, server.balancer, server.subnet);
    stranger.mac = STRANGER;
    port.host(stranger::onFrame);
    assertThat(faults(verify(ServerCheck.Mode.DIRECT))).containsExactly(Fault.VIP_CLAIMED);
    assertThat(verifier(ServerCheck.Mode.DIRECT).friend(STRANGER).run().isWell()).isTrue();
    assertThat(verifier(ServerCheck.Mode.DIRECT).active(false).run().isWell()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindAStrangerWithTheGatewayAddress(boolean isV6) {
    String gateway = isV6 ? "2001:db8:5::1" : "192.0.2.1";
    start(isV6, false, gateway);
    FakeServer stranger = new FakeServer(link, IpAddress.of(gateway), server.balancer, server.subnet);
    stranger.mac = STRANGER;
    port.host(stranger::onFrame);
    VerifyReport report = verify(ServerCheck.Mode.GATEWAY);
    assertThat(faults(report)).containsExactly(Fault.OWN_ADDRESS_CLAIMED);
    assertThat(report.notes()).anyMatch(note -> note.contains("gateway address"));
  }

  @Test
  void shouldTellAFewOfManyWhoClaimAnAddress() {
    start(false, true);
    int[] sent = {0};
    port.host(frame -> {
      MacAddress mac = MacAddress.of(0x02_00_00_02_00_00L + sent[0]);
      Link forged = new Link(0, "eth0", mac, 1500, List.of(), false, false, false);
      return sent[0]++ < 200 ? List.of(ProbeFrames.arpReply(forged, OWN_MAC.value(), server.balancer, vip)) : List.of();
    });
    VerifyReport report = verify(ServerCheck.Mode.DIRECT);
    assertThat(sent[0]).isGreaterThan(30);
    assertThat(faults(report)).containsExactly(Fault.VIP_CLAIMED);
    assertThat(report.faults()).hasSize(8);
  }

  /** The address beside it is the subnet's broadcast address, from which no server takes a packet. */
  @ParameterizedTest
  @ValueSource(strings = {"192.0.2.126", "192.0.2.1"})
  void shouldFindNothingWhereTheVirtualAddressIsTheFirstOrLastOfItsSubnet(String address) {
    start(false, false);
    link = new Link(0, "eth0", OWN_MAC, 1500, List.of(InterfaceAddress.of("192.0.2.5/25")), false, false, false);
    vip = IpAddress.of(address);
    server = new FakeServer(link, server.address, server.balancer, IpPrefix.of("192.0.2.0/25")).holding(vip);
    port = new ScriptedPort(OWN_MAC);
    port.host(server::onFrame);
    ServerCheck check = check(ServerCheck.Mode.DIRECT, Protocol.TCP, 80, vip);
    VerifyReport report =
        Verifier.of(List.of(new VerifiedLink(link, port, Set.of())), List.of(check)).clock(port::nanoTime).run();
    assertThat(report.faults()).isEmpty();
  }

  /** Typed as they stand: the first address of a subnet takes the others along, the server's own too. */
  @Test
  void shouldNotHaveTheServersOwnAddressRemoved() {
    start(false, true);
    server.onNic.add(vip);
    assertThat(verify(ServerCheck.Mode.DIRECT).faults().get(0).commands()).containsExactly(
        "sysctl -w net.ipv4.conf.all.promote_secondaries=1 && ip addr flush to 192.0.2.100/32",
        "ip addr add 192.0.2.100/32 dev lo");
  }

  /** A server that lacks the address was perhaps never set up, and would answer ARP for it at once. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldHaveAServerSilencedBeforeItGetsTheVirtualAddress(boolean isV6) {
    start(isV6, true);
    server.held.clear();
    List<String> commands = verify(ServerCheck.Mode.DIRECT).faults().get(0).commands();
    assertThat(commands).last().asString().startsWith(isV6 ? "ip -6 addr add " : "ip addr add ");
    assertThat(commands.subList(0, commands.size() - 1)).isEqualTo(isV6 ? List.of()
        : List.of("sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2"));
  }

  /** Routers advertise theirs again and again. */
  @Test
  void shouldHaveADefaultRouteSetThatWinsOverAdvertisedOnes() {
    start(true, false);
    server.gateway = FakeServer.Gateway.NONE;
    assertThat(verify(ServerCheck.Mode.GATEWAY).faults().get(0).commands())
        .containsExactly("ip -6 route replace default via 2001:db8:5::5 metric 1");
  }

  /** Somebody who probes for the spare address is about to have it, and an answer would keep it from him. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotKeepASpareAddressFromWhoeverTakesIt(boolean announces) {
    start(false, true);
    Link other = new Link(0, "eth0", STRANGER, 1500, List.of(), false, false, false);
    Set<IpAddress> taken = new HashSet<>();
    port.host(frame -> {
      if (frame[23] != 1 || port.nanoTime() < FIRST_ROUND_NS) {
        return List.of();
      }
      IpAddress source = IpAddress.v4(Unpooled.wrappedBuffer(frame).getInt(26));
      if (source.equals(server.balancer) || !taken.add(source)) {
        return List.of();
      }
      IpAddress asker = announces ? source : IpAddress.v4(0);
      List<byte[]> frames = new ArrayList<>();
      frames.add(ProbeFrames.arpRequest(other, MacAddress.BROADCAST.value(), asker, source));
      if (announces) {
        frames.add(ProbeFrames.arpRequest(other, MacAddress.BROADCAST.value(), server.address, source));
      }
      return frames;
    });
    verify(ServerCheck.Mode.DIRECT);
    assertThat(taken).isNotEmpty();
    assertThat(repliesTo(STRANGER)).isEmpty();
  }

  /** The addresses that we said to somebody are ours. */
  private List<IpAddress> repliesTo(MacAddress mac) {
    return port.sent.stream()
        .map(Unpooled::wrappedBuffer)
        .filter(frame -> frame.getShort(12) == 0x0806 && frame.getShort(20) == 2)
        .filter(frame -> EthernetHeader.destination(frame, 0) == mac.value())
        .map(frame -> IpAddress.v4(frame.getInt(28)))
        .toList();
  }

  /** Of two gateway addresses one is another balancer's: servers that ask for it are his. */
  @Test
  void shouldTellServersOfOurGatewayAddressesAlone() {
    start(false, false, "192.0.2.1", "192.0.2.2");
    FakeServer peer = new FakeServer(link, IpAddress.of("192.0.2.1"), server.balancer, server.subnet);
    peer.mac = STRANGER;
    port.host(peer::onFrame);
    Link asking = new Link(0, "eth0", FakeServer.MAC, 1500, List.of(), false, false, false);
    port.host(frame -> frame[23] != 1 || port.nanoTime() < FIRST_ROUND_NS ? List.of() : List.of(
        ProbeFrames.arpRequest(asking, MacAddress.BROADCAST.value(), server.address, IpAddress.of("192.0.2.1")),
        ProbeFrames.arpRequest(asking, MacAddress.BROADCAST.value(), server.address, IpAddress.of("192.0.2.2"))));
    verify(ServerCheck.Mode.GATEWAY);
    assertThat(repliesTo(FakeServer.MAC)).contains(IpAddress.of("192.0.2.2")).doesNotContain(IpAddress.of("192.0.2.1"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindTwoMachinesWithAServersAddress(boolean isV6) {
    start(isV6, true);
    FakeServer twin = new FakeServer(link, server.address, server.balancer, server.subnet);
    twin.mac = STRANGER;
    port.host(twin::onFrame);
    assertThat(faults(verify(ServerCheck.Mode.DIRECT))).containsExactly(Fault.SERVER_ADDRESS_DUPLICATE);
  }

  @Test
  void shouldSayWhomAServerAsksForInsteadOfUs() {
    start(false, false);
    server.gateway = FakeServer.Gateway.ASKED_FOR;
    assertThat(verify(ServerCheck.Mode.GATEWAY).faults().get(0).text()).contains("asks for 192.0.2.250");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldResetEachConnectionThatItOpened(boolean isV6) {
    start(isV6, true);
    verify(ServerCheck.Mode.DIRECT);
    int flags = isV6 ? 67 : 47;
    int protocol = isV6 ? 20 : 23;
    List<byte[]> tcp = port.sent.stream().filter(frame -> frame[protocol] == 6).toList();
    assertThat(tcp.stream().filter(frame -> frame[flags] == 4)).hasSize(tcp.size() / 2).hasSizeGreaterThan(2);
  }

  @Test
  void shouldSendTheSameFramesForTheSameSeedAndOthersForAnother() {
    List<List<String>> runs = new ArrayList<>();
    for (long seed : new long[] {7, 7, 8}) {
      start(false, true);
      verifier(ServerCheck.Mode.DIRECT).seed(seed).run();
      runs.add(port.sent.stream().map(frame -> HexFormat.of().formatHex(frame)).toList());
    }
    assertThat(runs.get(1)).isEqualTo(runs.get(0)).isNotEqualTo(runs.get(2));
  }

  /** More questions than there are numbers for at a time, and one server of many that is broken. */
  @Test
  void shouldAskAThousandServers() {
    start(false, true);
    List<ServerCheck> checks = new ArrayList<>();
    for (int n = 0; n < 1000; n++) {
      IpAddress address = IpAddress.of("198.18." + n / 200 + "." + (n % 200 + 20));
      FakeServer each =
          new FakeServer(link, address, IpAddress.of("198.18.0.5"), IpPrefix.of("198.18.0.0/16")).holding(vip);
      each.mac = MacAddress.of(0x02_00_00_01_00_00L + n);
      each.ports.clear();
      each.ports.addAll(n == 777 ? Set.of(81, 82) : Set.of(80, 81, 82));
      port.host(each::onFrame);
      for (int number = 80; number < 83; number++) {
        checks.add(
            new ServerCheck(
                "p" + number,
                "s" + n,
                address,
                ServerCheck.Mode.DIRECT,
                List.of(vip),
                Protocol.TCP,
                number,
                List.of()));
      }
    }
    Link wide =
        new Link(0, "eth0", OWN_MAC, 1500, List.of(InterfaceAddress.of("198.18.0.5/16")), false, false, false);
    VerifyReport report =
        Verifier.of(List.of(new VerifiedLink(wide, port, Set.of())), checks).clock(port::nanoTime).run();
    assertThat(report.servers()).hasSize(3000);
    assertThat(report.faults()).singleElement().satisfies(fault -> {
      assertThat(fault.fault()).isEqualTo(PORT_CLOSED);
      assertThat(fault.server()).isEqualTo("s777");
      assertThat(fault.services()).containsExactly("p80");
    });
  }

  /** Its MAC address comes while another server is asked already. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAskAServerThatIsLateAfterTheOthers(boolean isV6) {
    start(isV6, true);
    FakeServer late =
        new FakeServer(link, IpAddress.of(v6 ? "2001:db8:5::12" : "192.0.2.12"), server.balancer, server.subnet)
            .holding(vip, vip2);
    late.mac = MacAddress.of("02:00:00:00:00:12");
    List<byte[]> delayed = new ArrayList<>();
    port.host(frame -> {
      delayed.addAll(late.onFrame(frame));
      if (port.nanoTime() < FIRST_ROUND_NS) {
        return List.of();
      }
      List<byte[]> out = List.copyOf(delayed);
      delayed.clear();
      return out;
    });
    List<ServerCheck> checks = List.of(
        check(ServerCheck.Mode.DIRECT, Protocol.TCP, 80, vip),
        new ServerCheck(
            "TCP", "s2", late.address, ServerCheck.Mode.DIRECT, List.of(vip), Protocol.TCP, 80, List.of()));
    late.ports.clear();
    VerifyReport report = Verifier.of(List.of(new VerifiedLink(link, port, Set.of())), checks)
        .clock(port::nanoTime)
        .run();
    assertThat(faults(report)).containsExactly(PORT_CLOSED);
    assertThat(report.faults().get(0).server()).isEqualTo("s2");
  }

  @Test
  void shouldNoteWhatItCannotAsk() {
    start(false, true);
    IpAddress beyond = IpAddress.of("203.0.113.9");
    ServerCheck far =
        new ServerCheck("far", "s9", beyond, ServerCheck.Mode.GATEWAY, List.of(vip), Protocol.TCP, 80, List.of());
    VerifyReport report =
        Verifier.of(List.of(new VerifiedLink(link, port, Set.of())), List.of(far)).clock(port::nanoTime).run();
    assertThat(report.isWell()).isTrue();
    assertThat(report.notes()).anyMatch(note -> note.contains("behind a router"));
  }

  @Test
  void shouldThrowNothingWhateverFramesCome() {
    start(false, true);
    SplittableRandom random = new SplittableRandom(3);
    port.host(frame -> {
      byte[] noise = frame.clone();
      int flips = random.nextInt(1, 4);
      for (int i = 0; i < flips; i++) {
        noise[random.nextInt(12, noise.length)] ^= (byte) random.nextInt(1, 256);
      }
      Unpooled.wrappedBuffer(noise).setBytes(0, new byte[] {2, 0, 0, 0, 0, 5, 2, 0, 0, 0, 7, 7});
      return List.of(noise);
    });
    verifier(ServerCheck.Mode.DIRECT).run();
  }
}

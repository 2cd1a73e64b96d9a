package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.Statistics;
import io.lb4j.event.Event;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AddressClaim;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A balancer that serves, stands by, and serves again. */
class RoleTest {
  private final List<Event> heard = new ArrayList<>();
  private Lan lan;

  private void open(boolean v6, Role role) {
    lan =
        new Lan(
            v6,
            b ->
                b.role(role)
                    .listener(heard::add)
                    .unserved(UnservedPolicy.REJECT)
                    .service(Lan.withServers(Lan.tcp(v6), v6, 3))
                    .service(Lan.withServers(dns(v6), v6, 3))
                    .service(silent(v6)));
  }

  private static VirtualServiceBuilder dns(boolean v6) {
    return Lan.dns(v6);
  }

  /** Its server's MAC address is not known. */
  private static VirtualServiceBuilder silent(boolean v6) {
    return VirtualService.tcp(Lan.vip(v6), 81)
        .named("silent")
        .forwarding(DirectServerReturn.create())
        .realServer("s1", NeighborScenarioTest.peer(v6));
  }

  @AfterEach
  void close() {
    lan.close();
  }

  private FrameBuilder segment(int port, int flags) {
    return lan.frame(1).tcp(port, 80, flags);
  }

  private FrameBuilder echo(String to) {
    return FrameBuilder.from(lan.client(1), to)
        .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
        .icmp(lan.v6 ? 128 : 8, 0, new byte[] {0, 7, 0, 1, 1, 2, 3, 4});
  }

  private List<Event> told() {
    lan.balancer.tickControl(lan.nowNs);
    List<Event> taken = List.copyOf(heard);
    heard.clear();
    return taken;
  }

  /** Whatever may come for a virtual address, and would be sent on, answered, rejected, reset or kept. */
  private Map<String, FrameBuilder> all() {
    ByteBuf quoted = FrameBuilder.from(lan.vip(), lan.client(1)).tcp(80, 4000, TcpHeader.ACK).build();
    byte[] quote = new byte[4 + quoted.readableBytes() - 14];
    quoted.getBytes(14, quote, 4, quote.length - 4);
    return Map.ofEntries(
        Map.entry("known flow", segment(4000, TcpHeader.ACK)),
        Map.entry("end of a known flow", segment(4000, TcpHeader.FIN | TcpHeader.ACK)),
        Map.entry("new flow", segment(4001, TcpHeader.SYN)),
        Map.entry("no flow", segment(4002, TcpHeader.ACK)),
        Map.entry("next hop unknown", lan.frame(1).tcp(4000, 81, TcpHeader.SYN)),
        Map.entry("datagram", lan.frame(1).udp(4000, 53).payload((byte) 1)),
        Map.entry("unserved port", lan.frame(1).udp(4000, 9999)),
        Map.entry("first fragment", lan.frame(1).udp(4000, 53).payload(new byte[64]).fragment(9, 0, true)),
        Map.entry("later fragment", lan.frame(1).udp(4000, 53).payload(new byte[64]).fragment(9, 72, false)),
        Map.entry("echo", echo(lan.vip())),
        Map.entry("error", lan.frame(1).icmp(lan.v6 ? 1 : 3, lan.v6 ? 4 : 3, quote)),
        Map.entry("other protocol", lan.frame(1).protocol(132).payload(new byte[12])));
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldNeitherForwardNorAnswerNorRejectAnythingWhilePassive(boolean v6) {
    open(v6, Role.ACTIVE);
    String server = lan.serverOf(segment(4000, TcpHeader.SYN));
    lan.balancer.becomePassive();
    all().forEach((what, frame) -> assertThat(lan.process(frame)).as(what).isEqualTo(Verdict.PASSIVE));
    assertThat(lan.sent).isEmpty();
    Statistics now = lan.balancer.statistics();
    assertThat(now.count(Verdict.PASSIVE)).isEqualTo(all().size());
    assertThat(now.held()).isZero();
    assertThat(now.flowTable().size()).as("the one that was there").isEqualTo(1);
    lan.balancer.becomeActive();
    assertThat(lan.serverOf(segment(4000, TcpHeader.ACK))).isEqualTo(server);
    all().forEach((what, frame) -> assertThat(lan.process(frame)).as(what).isNotEqualTo(Verdict.PASSIVE));
  }

  /** The other balancer has had its segments meanwhile. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldSeeTheEndOfAConnectionThatWentOnElsewhere(boolean v6) {
    open(v6, Role.ACTIVE);
    String server = lan.serverOf(segment(4000, TcpHeader.SYN).numbers(1, 0));
    lan.serverOf(segment(4000, TcpHeader.ACK).numbers(2, 9));
    lan.balancer.becomePassive();
    lan.after(1);
    lan.balancer.becomeActive();
    int far = 2 + (1 << 30);
    lan.serverOf(segment(4000, TcpHeader.ACK).numbers(far, 9).payload(new byte[100]));
    lan.serverOf(segment(4000, TcpHeader.ACK).numbers(far + 100, 9));
    assertThat(lan.stats(server).counts().active()).isEqualTo(1);
    lan.serverOf(segment(4000, TcpHeader.FIN | TcpHeader.ACK).numbers(far + 100, 9));
    assertThat(lan.stats(server).counts().active()).isZero();
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldSayTheSameOfWholeBursts(boolean v6) {
    open(v6, Role.ACTIVE);
    lan.serverOf(segment(4000, TcpHeader.SYN));
    for (Role role : List.of(Role.PASSIVE, Role.ACTIVE, Role.PASSIVE)) {
      if (role == Role.ACTIVE) {
        lan.balancer.becomeActive();
      } else {
        lan.balancer.becomePassive();
      }
      FrameBatch batch = new FrameBatch();
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        ByteBuf frame = segment(i % 2 == 0 ? 4000 : 4000 + i, i % 2 == 0 ? TcpHeader.ACK : TcpHeader.SYN).build();
        batch.add(frame, 0, frame.readableBytes(), FrameMarks.NONE, 0);
      }
      lan.path.process(batch, lan.nowNs, lan::transmit);
      for (int i = 0; i < batch.size(); i++) {
        assertThat(batch.get(i).verdict()).isEqualTo(role == Role.ACTIVE ? Verdict.FORWARD : Verdict.PASSIVE);
      }
    }
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldEndWhatWaitsWhenItBecomesPassive(boolean v6) {
    open(v6, Role.ACTIVE);
    assertThat(lan.process(all().get("next hop unknown").build(), FrameMarks.NONE, 1)).isEqualTo(Verdict.HOLD);
    assertThat(lan.process(all().get("later fragment").build(), FrameMarks.NONE, 2)).isEqualTo(Verdict.HOLD);
    lan.after(0);
    lan.sent.clear();
    lan.balancer.becomePassive();
    assertThat(lan.path.hasCommands()).as("the worker is to look now").isTrue();
    lan.after(0);
    assertThat(lan.ended).containsExactlyInAnyOrder("1 PASSIVE", "2 PASSIVE");
    lan.process(NeighborScenarioTest.reply(lan), FrameMarks.NONE, 3);
    lan.after(100);
    assertThat(lan.sent).as("nothing was left to be sent").isEmpty();
    lan.balancer.becomeActive();
    assertThat(lan.process(all().get("later fragment"))).as("fragments wait as before").isEqualTo(Verdict.HOLD);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldKeepItsInterfaceAddressesAndLeaveTheRestToTheHost(boolean v6) {
    open(v6, Role.PASSIVE);
    assertThat(lan.process(echo(lan.own()))).isEqualTo(Verdict.ANSWER);
    assertThat(lan.process(FrameBuilder.from(lan.client(1), lan.own()).macs(Lan.LB_MAC, Lan.ROUTER_MAC).tcp(1, 22, 2)))
        .isEqualTo(Verdict.PASS);
    assertThat(lan.process(FrameBuilder.from(lan.client(1), lan.server(1)).macs(Lan.LB_MAC, Lan.ROUTER_MAC).udp(1, 2)))
        .isEqualTo(Verdict.PASS);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldGoOnWatchingServersWhilePassive(boolean v6) {
    open(v6, Role.PASSIVE);
    Asked asked = new Asked(lan);
    asked.ping(lan.server(1));
    assertThat(lan.process(asked.echoReply(asked.only()))).isEqualTo(Verdict.PROBE_ANSWERED);
    asked.direct(true, 80, lan.server(1));
    ByteBuf returned = asked.sent().stream().filter(frame -> !frame.isEcho()).findFirst().orElseThrow().bytes().copy();
    EthernetHeader.setAddresses(returned, 0, MacAddress.of(Lan.LB_MAC).value(), MacAddress.of(Lan.mac(1)).value());
    assertThat(lan.process(returned, FrameMarks.NONE, 0))
        .as("a server that does not have the virtual address sends it on")
        .isEqualTo(Verdict.OWN_FRAME);
    lan.after(3000);
    assertThat(asked.results).hasSize(2);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTellEachChangeOnce(boolean v6) {
    open(v6, Role.PASSIVE);
    assertThat(lan.balancer.role()).isEqualTo(Role.PASSIVE);
    lan.balancer.becomePassive();
    assertThat(told()).isEmpty();
    lan.balancer.becomeActive();
    lan.balancer.becomeActive();
    assertThat(lan.balancer.role()).isEqualTo(Role.ACTIVE);
    assertThat(told()).containsExactly(new Event.RoleChanged(true));
    lan.balancer.becomePassive();
    assertThat(told()).containsExactly(new Event.RoleChanged(false));
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldStayPassiveOverEveryChangeOfServices(boolean v6) {
    open(v6, Role.PASSIVE);
    lan.balancer.service("web").realServer("s1").drain();
    lan.balancer.addService(VirtualService.udp(v6 ? "2001:db8:5::101" : "192.0.2.101", 53).named("more")
        .forwarding(DirectServerReturn.create()).realServer("s1", lan.server(1)).build());
    lan.balancer.apply(lan.balancer.plan(lan.balancer.services()));
    assertThat(lan.balancer.role()).isEqualTo(Role.PASSIVE);
    assertThat(lan.process(segment(4000, TcpHeader.SYN))).isEqualTo(Verdict.PASSIVE);
    assertThat(lan.balancer.claims()).hasSize(2).allMatch(claim -> claim.state() == AddressClaim.State.PASSIVE);
    lan.balancer.becomeActive();
    assertThat(lan.balancer.claims()).hasSize(2).allMatch(claim -> claim.state() == AddressClaim.State.CLAIMED);
    assertThat(lan.serverOf(segment(4000, TcpHeader.SYN))).as("the drain was kept").isNotEqualTo("s1");
  }

  /** A removed server's connections are reset where that is declared, but not by a passive balancer. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldResetNothingWhilePassive(boolean v6) {
    open(v6, Role.ACTIVE);
    lan.balancer.replaceService(resetting(Lan.withServers(Lan.tcp(v6), v6, 1)));
    lan.serverOf(segment(4000, TcpHeader.SYN));
    lan.balancer.becomePassive();
    lan.balancer.replaceService(resetting(Lan.tcp(v6).realServer("s2", lan.server(2))));
    assertThat(lan.process(segment(4000, TcpHeader.ACK))).isEqualTo(Verdict.PASSIVE);
    assertThat(lan.sent).isEmpty();
    lan.balancer.becomeActive();
    assertThat(lan.process(segment(4000, TcpHeader.ACK))).isEqualTo(Verdict.ANSWER);
  }

  private static VirtualService resetting(VirtualServiceBuilder service) {
    return service.whenServerRemoved(new LostFlows(LostFlows.Fate.RESET, LostFlows.Fate.DROP)).build();
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldLetFlowsGrowOldWhilePassive(boolean v6) {
    open(v6, Role.ACTIVE);
    lan.serverOf(segment(4000, TcpHeader.SYN));
    lan.balancer.becomePassive();
    for (int second = 0; second <= FlowTimeouts.ONE_DIRECTION.syn().toSeconds() + 2; second++) {
      lan.process(segment(4000, TcpHeader.ACK));
      lan.after(1000);
    }
    assertThat(lan.balancer.statistics().flowTable().size()).isZero();
  }
}

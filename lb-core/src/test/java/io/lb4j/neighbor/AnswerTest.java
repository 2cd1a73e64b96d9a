package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OTHER;
import static io.lb4j.neighbor.Lan.OWN;
import static io.lb4j.neighbor.Lan.OWN_TOO;
import static io.lb4j.neighbor.Lan.PEER;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.topology.Link;
import io.lb4j.wire.NeighborMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AnswerTest {
  private Lan lan = Lan.quiet("192.0.2.10", "2001:db8:1::10", "203.0.113.128/25", "2001:db8:ffff::/48");

  @AfterEach
  void release() {
    lan.close();
  }

  private void assertAnsweredInPlace(String expected) {
    assertThat(lan.inPlace()).isEqualTo(expected);
    assertThat(lan.view.egress()).isEqualTo(lan.view.ingress());
    assertThat(lan.takeSent()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldAnswerForAVirtualAddressInPlace(Family family) {
    assertThat(lan.receive(family.request(PEER, family.client, family.vip))).isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(family.ourAnswer(PEER, family.client, family.vip));
  }

  @ParameterizedTest
  @EnumSource
  void shouldAnswerWithTheTagsOfTheRequest(Family family) {
    String request = Wire.tagged(Wire.tagged(family.request(PEER, family.client, family.vip), 0x8064), 0xFFFF);
    assertThat(lan.receive(request)).isEqualTo(Verdict.ANSWER);
    String answer = family.ourAnswer(PEER, family.client, family.vip);
    assertAnsweredInPlace(Wire.tagged(Wire.tagged(answer, 0x8064), 0xFFFF));
  }

  @ParameterizedTest
  @EnumSource
  void shouldKeepATagThatTravelsBesideTheBytes(Family family) {
    long marks = FrameMarks.withVlan(FrameMarks.NONE, 0xFFFF);
    assertThat(lan.receive(0, family.request(PEER, family.client, family.vip), marks)).isEqualTo(Verdict.ANSWER);
    assertThat(lan.view.marks()).isEqualTo(marks);
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotAnswerOnALinkThatTheVirtualAddressIsNotOn(Family family) {
    String request = family.request(PEER, family.client, family.vip);
    assertThat(lan.receive(1, request, FrameMarks.NONE)).isEqualTo(Verdict.PASS);
    assertThat(lan.inPlace()).isEqualTo(request);
    assertThat(lan.view.egress()).isEqualTo(-1);
  }

  @ParameterizedTest
  @EnumSource
  void shouldLeaveInterfaceAddressesToTheHostBesideUs(Family family) {
    String request = family.request(PEER, family.client, family.own);
    assertThat(lan.receive(request)).isEqualTo(Verdict.PASS);
    assertThat(lan.inPlace()).isEqualTo(request);
  }

  @ParameterizedTest
  @EnumSource
  void shouldAnswerForInterfaceAddressesWithoutAHost(Family family) {
    lan = Lan.withoutHost(family.vip);
    assertThat(lan.receive(family.request(PEER, family.client, family.own))).isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(family.ourAnswer(PEER, family.client, family.own));
    assertThat(lan.receive(1, family.request(PEER, family.client, family.own), FrameMarks.NONE))
        .isEqualTo(Verdict.PASS);
  }

  @ParameterizedTest
  @EnumSource
  void shouldLeaveRequestsForOthersAlone(Family family) {
    String request = family.request(PEER, family.client, family.peer);
    assertThat(lan.receive(request)).isEqualTo(Verdict.PASS);
    assertThat(lan.inPlace()).isEqualTo(request);
  }

  @ParameterizedTest
  @EnumSource
  void shouldLearnFromTheRequestItAnswers(Family family) {
    int id = lan.table.register(0, family.peerAddress());
    assertThat(lan.receive(family.request(PEER, family.peer, family.vip))).isEqualTo(Verdict.ANSWER);
    assertThat(lan.table.mac(id)).isEqualTo(PEER.value());
  }

  @Test
  void shouldAnswerForEveryAddressOfAVirtualPrefix() {
    assertThat(lan.receive(Wire.request(PEER, "203.0.113.1", "203.0.113.255"))).isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(Wire.reply(OWN, "203.0.113.255", PEER, "203.0.113.1"));
    assertThat(lan.receive(Wire.request(PEER, "203.0.113.1", "203.0.113.127"))).isEqualTo(Verdict.PASS);
    assertThat(lan.receive(1, Wire.solicitation(PEER, "2001:db8:1::21", "2001:db8:ffff::1"), 0))
        .isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(
        Wire.advertisement(OWN_TOO, "2001:db8:ffff::1", Wire.mac(PEER), "2001:db8:1::21", 0x60, "2001:db8:ffff::1"));
  }

  @Test
  void shouldAnswerAnArpProbeForAClaimedAddress() {
    assertThat(lan.receive(Wire.request(PEER, "0.0.0.0", "192.0.2.10"))).isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(Wire.reply(OWN, "192.0.2.10", PEER, "0.0.0.0"));
  }

  @Test
  void shouldLeavePaddingUntouched() {
    String request = Wire.request(PEER, "192.0.2.200", "192.0.2.10");
    String padded = request.substring(0, 84) + "80ff".repeat(9);
    assertThat(lan.receive(padded)).isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(
        Wire.reply(OWN, "192.0.2.10", PEER, "192.0.2.200").substring(0, 84) + "80ff".repeat(9));
  }

  @Test
  void shouldAnswerDuplicateAddressDetectionToAllNodesByAFrameOfItsOwn() {
    String probe = Wire.duplicateAddressProbe(PEER, "2001:db8:1::10");
    assertThat(lan.receive(probe)).isEqualTo(Verdict.ANSWER);
    assertThat(lan.view.egress()).isEqualTo(-1);
    assertThat(lan.takeSent()).containsExactly(Wire.unsolicited(OWN, "2001:db8:1::10"));
  }

  @Test
  void shouldAnswerAShortSolicitationInPlaceWhereThereIsPadding() {
    String probe = Wire.duplicateAddressProbe(PEER, "2001:db8:1::10") + "ff".repeat(11);
    assertThat(lan.receive(probe)).isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(Wire.unsolicited(OWN, "2001:db8:1::10") + "000000");
  }

  @Test
  void shouldKeepTheTagsInAFrameOfItsOwn() {
    long marks = FrameMarks.withVlan(FrameMarks.CHECKSUM_PARTIAL, 0x8064);
    lan.receive(0, Wire.tagged(Wire.duplicateAddressProbe(PEER, "2001:db8:1::10"), 0xFFFF), marks);
    assertThat(lan.sent)
        .containsExactly(
            new Lan.Sent(
                0,
                0,
                Wire.tagged(Wire.unsolicited(OWN, "2001:db8:1::10"), 0xFFFF),
                FrameMarks.withVlan(FrameMarks.NONE, 0x8064)));
  }

  @Test
  void shouldAnswerAUnicastSolicitationWithoutOptionToTheEthernetSource() {
    String target = Wire.ip("2001:db8:1::10");
    String bare =
        Wire.icmp6(
            Wire.mac(OWN), Wire.mac(PEER), "2001:db8:1::c", "2001:db8:1::10", 255, "87000000" + "00000000" + target);
    assertThat(lan.receive(bare)).isEqualTo(Verdict.ANSWER);
    assertThat(lan.takeSent())
        .containsExactly(
            Wire.advertisement(OWN, "2001:db8:1::10", Wire.mac(PEER), "2001:db8:1::c", 0x60, "2001:db8:1::10"));
  }

  @Test
  void shouldDropOtherOptionsFromTheAnswer() {
    String group = Wire.solicitedNode("2001:db8:1::10");
    String message = "87000000" + "00000000" + Wire.ip("2001:db8:1::10") + "0e01ffffffffffff" + "0101" + Wire.mac(PEER);
    assertThat(lan.receive(Wire.icmp6(Wire.groupMac(group), Wire.mac(PEER), "2001:db8:1::c", group, 255, message)))
        .isEqualTo(Verdict.ANSWER);
    String answer =
        Wire.advertisement(OWN, "2001:db8:1::10", Wire.mac(PEER), "2001:db8:1::c", 0x60, "2001:db8:1::10");
    assertAnsweredInPlace(answer + "00".repeat(8));
  }

  @Test
  void shouldNotTakeOurOtherLinkForSomebodyElse() {
    int id = lan.table.register(0, Family.V4.peerAddress());
    assertThat(lan.receive(Wire.request(OWN_TOO, Family.V4.peer, "192.0.2.10"))).isEqualTo(Verdict.PASS);
    assertThat(lan.receive(Wire.request(OWN_TOO, "192.0.2.10", "192.0.2.10"))).isEqualTo(Verdict.PASS);
    assertThat(lan.table.state(id)).isEqualTo(NeighborState.INCOMPLETE);
    assertThat(lan.takeEvents()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void shouldFollowTheConfiguration(Family family) {
    lan.layer.adopt(lan.owned(family.vip2));
    assertThat(lan.receive(family.request(PEER, family.client, family.vip))).isEqualTo(Verdict.PASS);
    assertThat(lan.receive(family.request(OTHER, family.client, family.vip2))).isEqualTo(Verdict.ANSWER);
    assertAnsweredInPlace(family.ourAnswer(OTHER, family.client, family.vip2));
  }

  /** A host removes a default router whose advertisement does not say that it is one (RFC 4861, section 7.2.5). */
  @Test
  void shouldSayOfAGatewayAddressThatItIsARouters() {
    IpAddress gateway = IpAddress.of("fe80::1");
    Link link = new Link(0, "eth0", OWN, 1500, List.of(), false, true, true, List.of(gateway));
    ByteBuf frame = new LinkFrames(lan.allocator).unsolicitedAdvertisement(link, gateway);
    assertThat(ByteBufUtil.hexDump(frame))
        .isEqualTo(Wire.advertisement(OWN, "fe80::1", "333300000001", "ff02::1", 0xA0, "fe80::1"));
    IpAddress host = IpAddress.of("fe80::2");
    LinkFrames.writeAdvertisement(frame, 0, 14, link, PEER.value(), host, gateway, NeighborMessage.SOLICITED);
    assertThat(ByteBufUtil.hexDump(frame))
        .isEqualTo(Wire.advertisement(OWN, "fe80::1", Wire.mac(PEER), "fe80::2", 0xE0, "fe80::1"));
    frame.release();
  }
}

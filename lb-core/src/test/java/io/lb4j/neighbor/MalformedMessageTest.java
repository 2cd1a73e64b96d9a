package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OWN;
import static io.lb4j.neighbor.Lan.PEER;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MalformedMessageTest {
  private static final String VIP = "2001:db8:1::10";
  private static final String SOURCE = "2001:db8:1::c";
  private static final String GROUP = Wire.solicitedNode(VIP);
  private static final String LINK_LOCAL = "fe80::21";
  private static final String TARGET = Wire.ip(VIP);
  private static final String OPTION = "0101" + Wire.mac(PEER);
  private static final String ALERT = "3a00050200000100";
  private static final String QUERY = "82000000" + "03e80000" + "00".repeat(16);

  private final Lan lan = Lan.quiet("192.0.2.10", VIP);

  @AfterEach
  void release() {
    lan.close();
  }

  private static String nd(String source, String destination, int hopLimit, String message) {
    return Wire.icmp6(Wire.groupMac(GROUP), Wire.mac(PEER), source, destination, hopLimit, message);
  }

  private static String mld(String source, int hopLimit, String extensions, String message) {
    String next = extensions.isEmpty() ? "3a" : "00";
    return Wire.ipv6("333300000001", Wire.mac(PEER), source, "ff02::1", hopLimit, next, extensions, message);
  }

  private static String with(String extensionType, String extension, String message) {
    return Wire.ipv6(Wire.groupMac(GROUP), Wire.mac(PEER), SOURCE, GROUP, 255, extensionType, extension, message);
  }

  static Stream<Arguments> refused() {
    String ns = "87000000" + "00000000" + TARGET;
    String na = "88000000" + "20000000" + Wire.ip(SOURCE);
    String multicast = Wire.ip("ff02::1");
    return Stream.of(
        Arguments.of("hop limit below 255: it crossed a router", nd(SOURCE, GROUP, 254, ns + OPTION)),
        Arguments.of("code is not 0", nd(SOURCE, GROUP, 255, ns.replaceFirst("8700", "8701") + OPTION)),
        Arguments.of("shorter than 24 bytes", nd(SOURCE, GROUP, 255, ns.substring(0, 46))),
        Arguments.of("multicast target", nd(SOURCE, GROUP, 255, "87000000" + "00000000" + multicast + OPTION)),
        Arguments.of("option of length 0", nd(SOURCE, GROUP, 255, ns + "0100" + Wire.mac(PEER))),
        Arguments.of("option beyond the packet", nd(SOURCE, GROUP, 255, ns + "0102" + Wire.mac(PEER))),
        Arguments.of("option cut short", nd(SOURCE, GROUP, 255, ns + "0101")),
        Arguments.of("no source, not to a solicited-node group", nd("::", "ff02::1", 255, ns)),
        Arguments.of("no source, to one node", nd("::", VIP, 255, ns)),
        Arguments.of("no source, yet its link-layer address", nd("::", GROUP, 255, ns + OPTION)),
        Arguments.of("link-layer address of a group", nd(SOURCE, GROUP, 255, ns + "0101" + "333300000001")),
        Arguments.of("link-layer address 0", nd(SOURCE, GROUP, 255, ns + "0101" + "000000000000")),
        Arguments.of(
            "checksum",
            nd(SOURCE, GROUP, 255, ns + OPTION).replaceFirst("0101(?=" + Wire.mac(PEER) + "$)", "0301")),
        Arguments.of("behind a fragment header", with("2c", "3a00000080ffff80", ns + OPTION)),
        Arguments.of("advertisement: hop limit", nd(SOURCE, "ff02::1", 64, na)),
        Arguments.of(
            "advertisement: multicast target",
            nd(SOURCE, "ff02::1", 255, "88000000" + "20000000" + multicast)),
        Arguments.of(
            "advertisement: solicited, to a group",
            nd(SOURCE, "ff02::1", 255, "88000000" + "60000000" + TARGET)),
        Arguments.of("advertisement: no source", nd("::", "ff02::1", 255, na)),
        Arguments.of(
            "router solicitation: no source, yet its address",
            nd("::", "ff02::2", 255, "8500000000000000" + OPTION)),
        Arguments.of("router advertisement: global source", nd(SOURCE, "ff02::1", 255, "86000000" + "00".repeat(12))),
        Arguments.of("router advertisement: too short", nd(LINK_LOCAL, "ff02::1", 255, "86000000" + "00".repeat(8))),
        Arguments.of("redirect: too short", nd(LINK_LOCAL, SOURCE, 255, "89000000" + "00000000" + TARGET)),
        Arguments.of("redirect: global source", nd(SOURCE, VIP, 255, "89000000" + "00000000" + TARGET + TARGET)),
        Arguments.of("query: hop limit", mld(LINK_LOCAL, 255, ALERT, QUERY)),
        Arguments.of("query: global source", mld(SOURCE, 1, ALERT, QUERY)),
        Arguments.of("query: no source", mld("::", 1, ALERT, QUERY)),
        Arguments.of("query: no router alert", mld(LINK_LOCAL, 1, "", QUERY)),
        Arguments.of("query: padding instead of router alert", mld(LINK_LOCAL, 1, "3a00010400000000", QUERY)),
        Arguments.of("query: of no version", mld(LINK_LOCAL, 1, ALERT, QUERY + "0000")),
        Arguments.of("query: too short", mld(LINK_LOCAL, 1, ALERT, QUERY.substring(0, 44))),
        Arguments.of("report: global source", mld(SOURCE, 1, ALERT, "8f00000000000000")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void refused(String description, String frame) {
    assertThat(lan.receive(frame)).isEqualTo(Verdict.NEIGHBOR_MESSAGE_MALFORMED);
    assertThat(lan.inPlace()).isEqualTo(frame);
    assertThat(lan.takeSent()).isEmpty();
  }

  static Stream<Arguments> accepted() {
    String ns = "87000000" + "00000000" + TARGET;
    return Stream.of(
        Arguments.of(
            "option of another length is no address", Verdict.ANSWER,
            nd(SOURCE, GROUP, 255, ns + "0102" + Wire.mac(PEER) + "00".repeat(8))),
        Arguments.of("behind destination options", Verdict.ANSWER, with("3c", "3a00010400000000", ns + OPTION)),
        Arguments.of("router solicitation", Verdict.PASS, nd("::", "ff02::2", 255, "8500000000000000")),
        Arguments.of(
            "router advertisement", Verdict.PASS,
            nd(LINK_LOCAL, "ff02::1", 255, "86000000" + "00".repeat(12))),
        Arguments.of("redirect", Verdict.PASS, nd(LINK_LOCAL, SOURCE, 255, "89000000" + "00000000" + TARGET + TARGET)),
        Arguments.of("query, version 1", Verdict.PASS, mld(LINK_LOCAL, 1, ALERT, QUERY)),
        Arguments.of("query, version 2", Verdict.PASS, mld(LINK_LOCAL, 1, ALERT, QUERY + "027d0000")),
        Arguments.of("router alert behind padding", Verdict.PASS, mld(LINK_LOCAL, 1, "3a00000005020000", QUERY)),
        Arguments.of("report without source", Verdict.PASS, mld("::", 1, ALERT, "8f00000000000000")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void accepted(String description, Verdict verdict, String frame) {
    assertThat(lan.receive(frame)).isEqualTo(verdict);
  }

  static Stream<Arguments> refusedArp() {
    String good = Wire.request(PEER, "192.0.2.200", "192.0.2.10");
    return Stream.of(
        Arguments.of("shorter than 28 bytes", good.substring(0, 82)),
        Arguments.of("not for Ethernet", good.replaceFirst("08060001", "08060006")),
        Arguments.of("not for IPv4", good.replaceFirst("0001080006", "000186dd06")),
        Arguments.of("hardware length", good.replaceFirst("08000604", "08000804")),
        Arguments.of("sender is a group", Wire.request(PEER, "224.0.0.1", "192.0.2.10")),
        Arguments.of("sender is loopback", Wire.request(PEER, "127.0.0.1", "192.0.2.10")),
        Arguments.of("sender is everybody", Wire.request(PEER, "255.255.255.255", "192.0.2.10")),
        Arguments.of("sender is on this network", Wire.request(PEER, "0.0.0.1", "192.0.2.10")),
        Arguments.of(
            "hardware address of a group",
            Wire.request(MacAddress.of("ff:ff:ff:ff:ff:ff"), "192.0.2.200", "192.0.2.10")),
        Arguments.of(
            "hardware address 0",
            Wire.request(MacAddress.of(0), "192.0.2.200", "192.0.2.10")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void refusedArp(String description, String frame) {
    assertThat(lan.receive(frame)).isEqualTo(Verdict.ARP_MALFORMED);
    assertThat(lan.inPlace()).isEqualTo(frame);
  }

  @Test
  void shouldLeaveOtherArpOperationsToTheHost() {
    String inverse = Wire.request(PEER, "192.0.2.200", "192.0.2.10").replaceFirst("060400" + "01", "060400" + "08");
    assertThat(lan.receive(inverse)).isEqualTo(Verdict.PASS);
  }

  @Test
  void shouldNotCheckAnUnfinishedChecksumButFinishItInTheAnswer() {
    String good = Wire.solicitation(PEER, SOURCE, VIP);
    String unfinished = good.substring(0, 112) + "ffff" + good.substring(116);
    assertThat(lan.receive(0, unfinished, FrameMarks.CHECKSUM_PARTIAL)).isEqualTo(Verdict.ANSWER);
    assertThat(lan.inPlace()).isEqualTo(Wire.advertisement(OWN, VIP, Wire.mac(PEER), SOURCE, 0x60, VIP));
    assertThat(lan.view.marks()).isZero();
  }

  @Test
  void shouldSurviveAnythingAtAll() {
    String[] seeds = Stream.concat(refused(), Stream.concat(accepted(), refusedArp()))
        .map(row -> (String) row.get()[row.get().length - 1])
        .toArray(String[]::new);
    SplittableRandom random = new SplittableRandom(63);
    for (int i = 0; i < 20_000; i++) {
      byte[] frame = HexFormat.of().parseHex(seeds[random.nextInt(seeds.length)]);
      for (int changes = random.nextInt(4); changes >= 0; changes--) {
        frame[12 + random.nextInt(frame.length - 12)] = (byte) random.nextInt();
      }
      int length = random.nextInt(3) == 0 ? random.nextInt(frame.length) : frame.length;
      String hex = HexFormat.of().formatHex(frame, 0, length);
      assertThat(lan.receive(0, hex, random.nextInt(2))).isNotEqualTo(Verdict.HOLD);
    }
  }
}

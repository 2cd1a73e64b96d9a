package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OWN;
import static io.lb4j.neighbor.Lan.PEER;
import static io.lb4j.neighbor.Lan.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.ListenerMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListenerReportTest {
  private static final String VIP = "2001:db8:1::80:8001";
  private static final String GROUP = "ff02::1:ff80:8001";
  private static final String OTHER_VIP = "2001:db8:1::ffff:ffff";
  private static final String OTHER_GROUP = "ff02::1:ffff:ffff";
  private static final String ALERT = "3a00050200000100";
  private static final String LINK_LOCAL = "fe80::ff:fe00:1";

  /** No probes and no announcements: reports alone. */
  private static final AnnouncementSettings REPORTS_ONLY =
      AnnouncementSettings.builder()
          .duplicateAddressProbes(0, Duration.ofSeconds(1))
          .announcements(0, Duration.ofSeconds(1))
          .refresh(Duration.ZERO)
          .build();

  private Lan lan;

  @AfterEach
  void release() {
    if (lan != null) {
      lan.close();
    }
  }

  private static String report(String... records) {
    return Wire.ipv6(
        "333300000016",
        Wire.mac(OWN),
        LINK_LOCAL,
        "ff02::16",
        1,
        "00",
        ALERT,
        "8f000000" + "0000" + Wire.hex(records.length, 4) + String.join("", records));
  }

  private static String record(int type, String group) {
    return Wire.hex(type, 2) + "000000" + Wire.ip(group);
  }

  static String query(String destination, int maximumResponse, String group, String more) {
    return Wire.ipv6(
        Wire.groupMac(destination),
        Wire.mac(PEER),
        "fe80::21",
        destination,
        1,
        "00",
        ALERT,
        "82000000" + Wire.hex(maximumResponse, 4) + "0000" + Wire.ip(group) + more);
  }

  private void joined(String... vips) {
    lan = Lan.announcing(REPORTS_ONLY, vips);
    lan.run(10);
    lan.takeSent();
  }

  @Test
  void shouldReportAJoinTwiceByTheseBytes() {
    lan = Lan.announcing(REPORTS_ONLY, VIP);
    lan.run(10);
    // decoded by hand: hop-by-hop with router alert, hop limit 1, one record CHANGE_TO_EXCLUDE {}
    String expected =
        "333300000016" + "020000000001" + "86dd"
            + "60000000" + "0024" + "00" + "01"
            + "fe8000000000000000" + "0000fffe000001"
            + "ff020000000000000000000000000016"
            + "3a00050200000100"
            + "8f00" + "f186" + "00000001"
            + "04000000" + "ff0200000000000000000001ff808001";
    assertThat(lan.sent).extracting(Lan.Sent::hex).containsExactly(expected, expected);
    assertThat(expected).isEqualTo(report(record(4, GROUP)));
    assertThat(lan.sent.get(0).atNs()).isZero();
    assertThat(lan.sent.get(1).atNs()).isBetween(1L, SECOND);
  }

  @Test
  void shouldReportBeforeTheFirstProbe() {
    lan = Lan.announcing(AnnouncementSettings.defaults(), VIP);
    lan.run(0);
    assertThat(lan.takeSent().get(0)).isEqualTo(report(record(4, GROUP)));
  }

  @Test
  void shouldReportOneGroupForAddressesThatShareIt() {
    lan = Lan.announcing(REPORTS_ONLY, VIP, "2001:db8:1:0:1:0:80:8001", OTHER_VIP);
    lan.tick();
    assertThat(lan.takeSent()).containsExactly(report(record(4, GROUP), record(4, OTHER_GROUP)));
  }

  @Test
  void shouldReportThatItLeaves() {
    joined(VIP, OTHER_VIP);
    lan.layer.adopt(lan.owned(OTHER_VIP));
    lan.run(10);
    assertThat(lan.takeSent()).containsExactly(report(record(3, GROUP)), report(record(3, GROUP)));
  }

  @Test
  void shouldReportOnlyTheLatestChange() {
    lan = Lan.announcing(REPORTS_ONLY, VIP);
    lan.layer.adopt(lan.owned());
    lan.run(10);
    assertThat(lan.takeSent()).containsExactly(report(record(3, GROUP)), report(record(3, GROUP)));
  }

  @Test
  void shouldAnswerAGeneralQueryOnceWithinItsTime() {
    joined(VIP, OTHER_VIP);
    long asked = lan.now;
    for (int i = 0; i < 1000; i++) {
      assertThat(lan.receive(query("ff02::1", 1000, "::", "027d0000"))).isEqualTo(Verdict.PASS);
    }
    assertThat(lan.sent).isEmpty();
    lan.run(20);
    assertThat(lan.sent).hasSize(1);
    assertThat(lan.sent.get(0).atNs() - asked).isBetween(0L, SECOND);
    assertThat(lan.takeSent()).containsExactly(report(record(2, GROUP), record(2, OTHER_GROUP)));
  }

  @Test
  void shouldAnswerAQueryForOneOfItsGroups() {
    joined(VIP, OTHER_VIP);
    lan.receive(query(GROUP, 1000, GROUP, "027d0000"));
    lan.receive(query("ff02::1:ff00:9999", 1000, "ff02::1:ff00:9999", "027d0000"));
    lan.run(2);
    assertThat(lan.takeSent()).containsExactly(report(record(2, GROUP)));
  }

  @Test
  void shouldNotLetALaterQueryPutTheAnswerOff() {
    joined(VIP);
    lan.receive(query("ff02::1", 1000, "::", "027d0000"));
    for (int i = 0; i < 20; i++) {
      lan.receive(query("ff02::1", 0xFFFF, "::", "027d0000"));
    }
    lan.run(1);
    assertThat(lan.takeSent()).containsExactly(report(record(2, GROUP)));
  }

  @Test
  void shouldForgetWhatItHasAnswered() {
    joined(VIP, OTHER_VIP);
    lan.receive(query("ff02::1", 1000, "::", "027d0000"));
    lan.run(2);
    lan.takeSent();
    lan.receive(query(OTHER_GROUP, 1000, OTHER_GROUP, "027d0000"));
    lan.run(2);
    assertThat(lan.takeSent()).containsExactly(report(record(2, OTHER_GROUP)));
  }

  @Test
  void shouldNotReportAGroupThatItLeftSinceTheQuery() {
    joined(VIP, OTHER_VIP);
    lan.receive(query("ff02::1", 1000, "::", "027d0000"));
    lan.layer.adopt(lan.owned(OTHER_VIP));
    lan.run(2);
    assertThat(lan.takeSent())
        .containsExactlyInAnyOrder(
            report(record(3, GROUP)), report(record(3, GROUP)), report(record(2, OTHER_GROUP)));
  }

  @Test
  void shouldAnswerAQueryOfVersion1InItsLanguage() {
    joined(VIP);
    lan.receive(query("ff02::1", 1000, "::", ""));
    lan.run(2);
    assertThat(lan.takeSent())
        .containsExactly(
            Wire.ipv6(
                Wire.groupMac(GROUP),
                Wire.mac(OWN),
                LINK_LOCAL,
                GROUP,
                1,
                "00",
                ALERT,
                "83000000" + "00000000" + Wire.ip(GROUP)));
  }

  @Test
  void shouldSplitWhatDoesNotFitOneReport() {
    String[] vips = new String[100];
    for (int i = 0; i < vips.length; i++) {
      vips[i] = "2001:db8:1::8000:" + Integer.toHexString(0x8000 + i);
    }
    lan = Lan.announcing(REPORTS_ONLY, vips);
    lan.tick();
    List<String> reports = lan.takeSent();
    assertThat(reports).hasSize(2);
    assertThat(reports.get(0)).hasSize(2 * (14 + 40 + 8 + 8 + 72 * 20));
    assertThat(reports.get(1)).hasSize(2 * (14 + 40 + 8 + 8 + 28 * 20));
  }

  @Test
  void shouldBeSilentWithoutGroupsAndWhenOff() {
    joined();
    lan.receive(query("ff02::1", 1, "::", "027d0000"));
    lan.run(10);
    assertThat(lan.takeSent()).isEmpty();
    lan = Lan.quiet(VIP);
    lan.receive(query("ff02::1", 1, "::", "027d0000"));
    lan.run(10);
    assertThat(lan.takeSent()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"10000, 24, 10000", "10000, 28, 10000", "32768, 24, 32768", "32768, 28, 32768", "65535, 28, 8387584",
    "65535, 24, 65535"})
  void shouldReadTheMaximumResponseCode(int code, int length, int milliseconds) {
    ByteBuf query = Unpooled.buffer().writeZero(28).setShort(4, code);
    assertThat(ListenerMessage.maximumResponseMs(query, 0, length)).isEqualTo(milliseconds);
    assertThat(IpAddress.v6(ListenerMessage.groupHigh(query, 0), ListenerMessage.groupLow(query, 0)).isUnspecified())
        .isTrue();
  }
}

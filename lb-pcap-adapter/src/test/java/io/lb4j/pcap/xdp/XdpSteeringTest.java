package io.lb4j.pcap.xdp;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.port.SteeredPrefixes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which frames the program takes: it is run by the kernel on single frames. */
@Tag("root")
class XdpSteeringTest extends LivePortFixture {
  private static final int TCP = 6;
  private static final int ICMPV6 = 58;
  private XdpPort port;

  @BeforeEach
  void steer() {
    port = closedAfterwards(XdpPort.builder(pair.left).ringSize(64).open());
    port.steer(
        new SteeredPrefixes(
            List.of(IpPrefix.of("192.0.2.10/32"), IpPrefix.of("198.51.100.0/28"), IpPrefix.of("2001:db8::10/128")),
            List.of(IpPrefix.of("10.0.0.0/24"), IpPrefix.of("2001:db8:1::/64")),
            List.of(IpPrefix.of("10.0.0.8/29"), IpPrefix.of("2001:db8:1::8/125"), IpPrefix.of("127.0.0.0/8"))));
  }

  @ParameterizedTest
  @CsvSource({
    // destination MAC ours, source, destination, taken
    "false, 203.0.113.1, 192.0.2.10,    true",
    "true,  203.0.113.1, 192.0.2.11,    false",
    "false, 203.0.113.1, 198.51.100.15, true",
    "false, 203.0.113.1, 198.51.100.16, false",
    "true,  10.0.0.7,    203.0.113.1,   true",
    "false, 10.0.0.7,    203.0.113.1,   false",
    "true,  10.0.1.7,    203.0.113.1,   false",
    "true,  10.0.0.7,    127.0.0.1,     false",
    "true,  203.0.113.1, 10.0.0.9,      true",
    "false, 203.0.113.1, 10.0.0.9,      false",
    "true,  203.0.113.1, 10.0.0.7,      false",
    "true,  203.0.113.1, 127.0.0.1,     false",
    "true,  2001:db8:9::1, 2001:db8:1::9, true",
    "false, 2001:db8:9::1, 2001:db8:1::9, false",
    "true,  2001:db8:9::1, 2001:db8:1::7, false",
    "false, 2001:db8:9::1, 2001:db8::10,  true",
    "true,  2001:db8:9::1, 2001:db8::11,  false",
    "true,  2001:db8:1::7, 2001:db8:9::1, true",
    "false, 2001:db8:1::7, 2001:db8:9::1, false",
    "true,  2001:db8:1::7, ::1,           false",
    "true,  192.0.2.10,    203.0.113.1,   true",
    "true,  192.0.2.10,    127.0.0.1,     false",
    "true,  2001:db8::10,  ::1,           false",
  })
  void shouldTakeFramesByAddressAndMacUntaggedAndInTags(boolean own, String source, String destination, boolean taken) {
    for (int tags = 0; tags <= 2; tags++) {
      assertThat(verdict(packet(own, tags, source, destination, TCP))).as("%d tags", tags).isEqualTo(verdict(taken));
    }
    assertThat(verdict(packet(own, 3, source, destination, TCP))).isEqualTo(SteeringProgram.PASS);
  }

  private static int verdict(boolean taken) {
    return taken ? SteeringProgram.REDIRECT : SteeringProgram.PASS;
  }

  @Test
  void shouldTakeLaterFragmentsAsTheFirst() {
    ByteBuf later = packet(false, 0, "203.0.113.1", "192.0.2.10", TCP).setShort(14 + 6, 185);
    assertThat(verdict(later)).isEqualTo(SteeringProgram.REDIRECT);
    assertThat(verdict(packet(false, 0, "2001:db8:9::1", "2001:db8::10", 44))).isEqualTo(SteeringProgram.REDIRECT);
  }

  @Test
  void shouldLeaveArpNeighbourDiscoveryAndCutFramesToTheKernel() {
    ByteBuf arp = packet(true, 0, "10.0.0.7", "192.0.2.10", TCP).setShort(12, 0x0806);
    assertThat(verdict(arp)).isEqualTo(SteeringProgram.PASS);
    ByteBuf solicitation = packet(true, 0, "2001:db8:1::7", "2001:db8::10", ICMPV6).setByte(14 + 40, 135);
    assertThat(verdict(solicitation)).isEqualTo(SteeringProgram.PASS);
    ByteBuf echo = packet(true, 0, "2001:db8:1::7", "2001:db8::10", ICMPV6).setByte(14 + 40, 128);
    assertThat(verdict(echo)).isEqualTo(SteeringProgram.REDIRECT);
    ByteBuf whole = packet(false, 0, "203.0.113.1", "192.0.2.10", TCP);
    assertThat(verdict(whole.slice(0, 14 + 20))).isEqualTo(SteeringProgram.REDIRECT);
    assertThat(verdict(whole.slice(0, 14 + 19))).isEqualTo(SteeringProgram.PASS);
    assertThat(verdict(packet(false, 0, "2001:db8:9::1", "2001:db8::10", TCP).slice(0, 14 + 39)))
        .isEqualTo(SteeringProgram.PASS);
  }

  @Test
  void shouldFollowChangesOfPrefixesAndMacs() {
    ByteBuf old = packet(false, 0, "203.0.113.1", "192.0.2.10", TCP);
    ByteBuf next = packet(false, 0, "203.0.113.1", "192.0.2.20", TCP);
    ByteBuf virtual = packet(false, 0, "10.0.0.7", "203.0.113.1", TCP);
    MacAddress mac = MacAddress.of("00:00:5e:00:01:07");
    virtual.setMedium(0, 0x00005E).setMedium(3, 0x000107);
    assertThat(verdict(virtual)).isEqualTo(SteeringProgram.PASS);
    port.join(mac);
    assertThat(verdict(virtual)).isEqualTo(SteeringProgram.REDIRECT);
    port.steer(new SteeredPrefixes(List.of(IpPrefix.of("192.0.2.20/32")), List.of()));
    assertThat(List.of(verdict(old), verdict(next), verdict(virtual)))
        .containsExactly(SteeringProgram.PASS, SteeringProgram.REDIRECT, SteeringProgram.PASS);
  }

  private int verdict(ByteBuf frame) {
    return Bpf.run(port.program(), ByteBufUtil.getBytes(frame));
  }

  private ByteBuf packet(boolean own, int tags, String source, String destination, int protocol) {
    long mac = own ? port.traits().mac().value() : 0x02_FF_00_00_00_01L;
    return IpFrames.packet(mac, tags, source, destination, protocol);
  }
}

package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which bytes a translation changes, and that checksums are updated and not made new (RFC 1624; RFC 768). */
@Tag("memory")
class RewriteTest {
  private static final long REWRITES = 10_000_000;
  private static final int FRAMES = 50_000;

  /** Bytes that differ between two frames. */
  private static BitSet difference(byte[] before, byte[] after) {
    assertThat(after).hasSameSizeAs(before);
    BitSet different = new BitSet();
    for (int i = 0; i < before.length; i++) {
      different.set(i, before[i] != after[i]);
    }
    return different;
  }

  private static BitSet bits(int... ranges) {
    BitSet bits = new BitSet();
    for (int i = 0; i < ranges.length; i += 2) {
      bits.set(ranges[i], ranges[i + 1]);
    }
    return bits;
  }

  /** MAC addresses, time to live, checksums, and one address and port. */
  private static BitSet mayChange(boolean v6, boolean tcp, int network, boolean source) {
    int transport = network + (v6 ? 40 : 20);
    int checksum = transport + (tcp ? 16 : 6);
    int port = transport + (source ? 0 : 2);
    int length = v6 ? 16 : 4;
    int address = network + (v6 ? 8 : 12) + (source ? 0 : length);
    BitSet bits = bits(0, 12, address, address + length, port, port + 2, checksum, checksum + 2);
    bits.or(v6 ? bits(network + 7, network + 8) : bits(network + 8, network + 9, network + 10, network + 12));
    return bits;
  }

  @Requirement("N35")
  @ParameterizedTest
  @CsvSource({
    "false,false,0", "false,true,0", "true,false,0", "true,true,0", "false,false,1", "false,true,1", "true,false,1",
    "true,true,1", "false,true,2", "true,true,2"
  })
  void shouldChangeNoByteBeyondAddressesPortsChecksumsAndTimeToLive(boolean v6, boolean tcp, int tags) {
    int[] vlans = tags == 0 ? new int[0] : tags == 1 ? new int[] {0xE00A} : new int[] {10, 20};
    int network = 14 + 4 * tags;
    try (Network net = Network.nat(v6)) {
      net.open(tcp, 2, 5000, net.peer(1), 80);
      int port = net.open(tcp, 1, 5000, net.peer(1), 80).sourcePort();
      FrameBuilder frame = Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK);
      ByteBuf out = frame.numbers(0xFFFF8000, 0x80FF80FF).vlan(vlans).payload(Frames.bytes(99, 8)).padTo(200).build();
      mark(out, v6, network);
      byte[] before = Packet.of(out).bytes;
      Packet left = net.process(Network.INSIDE, out).forwarded();
      BitSet changed = difference(before, left.bytes);
      changed.andNot(mayChange(v6, tcp, network, true));
      assertThat(changed).as("bytes changed beyond those that must").isEqualTo(new BitSet());

      frame = Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, port, TcpHeader.ACK);
      ByteBuf in = frame.numbers(0xFFFF8000, 0x80FF80FF).vlan(vlans).payload(Frames.bytes(99, 9)).padTo(200).build();
      mark(in, v6, network);
      before = Packet.of(in).bytes;
      changed = difference(before, net.process(Network.OUTSIDE, in).forwarded().bytes);
      changed.andNot(mayChange(v6, tcp, network, false));
      assertThat(changed).as("bytes changed beyond those that must").isEqualTo(new BitSet());
    }
  }

  /** Traffic class and flow label, which a translation leaves alone. */
  private static void mark(ByteBuf frame, boolean v6, int network) {
    if (v6) {
      frame.setInt(network, 0x6BAABBCC);
    } else {
      frame.setByte(network + 1, 0xBB);
      Ipv4Header.updateChecksum(frame, network);
    }
  }

  @Requirement("N35")
  @EveryTransport
  void shouldNeitherSumNorChangePaddingOfAShortFrame(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder frame = Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.SYN);
      Packet out = net.fromInside(frame.payload((byte) 0xFF).padTo(100)).forwarded();
      assertThat(out.bytes).hasSize(100);
      assertThat(out.trailer()).containsOnly(0xFF).isNotEmpty();
    }
  }

  @Requirement("N35")
  @Test
  void shouldKeepAUdpChecksumOfZero() {
    try (Network net = Network.nat(false)) {
      ByteBuf out = net.from(1, net.peer(1)).udp(5000, 80).payload(Frames.bytes(9, 1)).build().setShort(40, 0);
      assertThat(net.process(Network.INSIDE, out).forwarded().checksum()).isZero();
      ByteBuf in = net.to(net.external(1), net.peer(1)).udp(80, 5000).payload(Frames.bytes(9, 1)).build();
      assertThat(net.process(Network.OUTSIDE, in.setShort(40, 0)).forwarded().checksum()).isZero();
    }
  }

  @Requirement("N35")
  @BothFamilies
  void shouldSendAComputedUdpChecksumOfZeroAsAllOnes(boolean v6) {
    try (Network net = Network.nat(v6)) {
      net.open(false, 2, 5000, net.peer(1), 80);
      int port = net.open(false, 1, 5000, net.peer(1), 80).sourcePort();
      FrameBuilder expected = FrameBuilder.from(net.external(1), net.peer(1)).udp(port, 80).payload((byte) 0, (byte) 0);
      int word = Packet.of(expected.build()).checksum();
      byte[] payload = {(byte) (word >> 8), (byte) word};
      Packet out = net.fromInside(net.from(1, net.peer(1)).udp(5000, 80).payload(payload)).forwarded();
      assertThat(out.checksum()).isEqualTo(0xFFFF);

      expected = FrameBuilder.from(net.peer(1), net.inside(1)).udp(80, 5000).payload((byte) 0, (byte) 0);
      word = Packet.of(expected.build()).checksum();
      payload = new byte[] {(byte) (word >> 8), (byte) word};
      Packet in = net.fromOutside(net.to(net.external(1), net.peer(1)).udp(80, port).payload(payload)).forwarded();
      assertThat(in.checksum()).isEqualTo(0xFFFF);
    }
  }

  @Requirement("N35")
  @EveryTransport
  void shouldLeaveAWrongChecksumWrongByTheSameAmount(boolean v6, boolean tcp) {
    int field = 14 + (v6 ? 40 : 20) + (tcp ? 16 : 6);
    try (Network net = Network.options(v6).damaged().nat(b -> b).open()) {
      net.open(tcp, 2, 5000, net.peer(1), 80);
      int port = net.open(tcp, 1, 5000, net.peer(1), 80).sourcePort();
      SplittableRandom random = new SplittableRandom(3);
      for (int n = 0; n < 200; n++) {
        boolean inside = random.nextBoolean();
        FrameBuilder frame =
            inside
                ? Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK)
                : Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, port, TcpHeader.ACK);
        ByteBuf bytes = frame.payload(Frames.bytes(n, n)).build();
        bytes.setShort(field, 1 + random.nextInt(0xFFFE));
        int wrongBy = Packet.of(bytes).checksumError();
        Packet sent = net.process(inside ? Network.INSIDE : Network.OUTSIDE, bytes).forwarded();
        assertThat(sent.checksumError()).isEqualTo(wrongBy);
        assertThat(sent.ipChecksumIsRight()).isTrue();
      }
    }
  }

  @Requirement("N35")
  @Test
  void shouldNotRepairAWrongIpv4Checksum() {
    try (Network net = Network.nat(false)) {
      ByteBuf frame = net.from(1, net.peer(1)).udp(5000, 80).build();
      frame.setShort(24, frame.getShort(24) ^ 1);
      net.process(Network.INSIDE, frame).droppedSilently(Verdict.IPV4_CHECKSUM);
    }
  }

  @Requirement("N40")
  @BothFamilies
  void shouldLeaveTheMaximumSegmentSizeAndAllOptionsAlone(boolean v6) {
    byte[] options = {2, 4, 0x23, 0x28, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
    try (Network net = Network.options(v6).mtu(1400, 1400).nat(b -> b).service(Network.web(v6, 1)).open()) {
      FrameBuilder out = net.from(1, net.peer(1)).tcp(5000, 80, TcpHeader.SYN).tcpOptions(options);
      assertThat(net.fromInside(out).forwarded().tcpOptions()).isEqualTo(options);
      FrameBuilder in = net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.SYN).tcpOptions(options);
      assertThat(net.fromOutside(in).forwarded().tcpOptions()).isEqualTo(options);
    }
  }

  @Requirement("N41")
  @ParameterizedTest
  @CsvSource({"false,4", "true,4", "false,24", "true,24", "false,40", "true,40"})
  void shouldCarryIpv4Options(boolean tcp, int length) {
    byte[] options = new byte[length];
    Arrays.fill(options, (byte) 1);
    options[0] = (byte) 0x94;
    options[1] = 4;
    options[2] = 0;
    options[3] = 0;
    try (Network net = Network.nat(false)) {
      net.open(tcp, 2, 5000, net.peer(1), 80);
      int port = net.open(tcp, 1, 5000, net.peer(1), 80).sourcePort();
      FrameBuilder out = Network.transport(net.from(1, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK);
      Packet left = net.fromInside(out.ipOptions(options).payload((byte) 5)).forwarded();
      assertThat(left.ipOptions()).isEqualTo(options);
      assertThat(left.from()).isEqualTo(net.external(1) + " " + port);
      FrameBuilder in = Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, port, TcpHeader.ACK);
      Packet arrived = net.fromOutside(in.ipOptions(options).payload((byte) 5)).forwarded();
      assertThat(arrived.ipOptions()).isEqualTo(options);
      assertThat(arrived.to()).isEqualTo(net.inside(1) + " 5000");
    }
  }

  @Requirement("N35")
  @ParameterizedTest
  @CsvSource({"60", "0"})
  void shouldTranslateBehindIpv6ExtensionHeaders(int header) {
    byte[] extension = {17, 0, 1, 4, 0, 0, 0, 0};
    try (Network net = Network.nat(true)) {
      Packet out =
          net.fromInside(net.from(1, net.peer(1)).udp(5000, 80).payload((byte) 5).extensions(header, extension))
              .forwarded();
      assertThat(out.from()).isEqualTo(net.external(1) + " 5000");
      FrameBuilder back = net.to(net.external(1), net.peer(1)).udp(80, 5000).extensions(header, extension);
      assertThat(net.fromOutside(back).forwarded().to()).isEqualTo(net.inside(1) + " 5000");
    }
  }

  @Requirement("N35")
  @Test
  void shouldUpdateTenMillionChecksumsAsIfSummedAgain() {
    SplittableRandom random = new SplittableRandom(1624);
    ByteBuf words = Unpooled.buffer(32).writeZero(32);
    long wrong = 0;
    int checksum = InternetChecksum.finish(InternetChecksum.sum(words, 0, 32, 0));
    for (long n = 0; n < REWRITES; n++) {
      long bits = random.nextLong();
      int at = (int) (bits >>> 60) * 2;
      int word = (bits >>> 56 & 0xF) == 0 ? ((bits & 1) == 0 ? 0 : 0xFFFF) : (int) bits & 0xFFFF;
      int updated = InternetChecksum.replace(checksum, words.getUnsignedShort(at), word);
      words.setShort(at, word);
      int summed = summed(words);
      // a sum of all zeros is reached by no update from other data: eqn. 3 keeps to the other zero then
      boolean same = updated == summed || updated % 0xFFFF == summed % 0xFFFF && summed == 0xFFFF;
      wrong += same ? 0 : 1;
      checksum = summed;
    }
    assertThat(wrong).isZero();
  }

  private static int summed(ByteBuf words) {
    int sum = 0;
    for (int at = 0; at < 32; at += 2) {
      sum += words.getUnsignedShort(at);
    }
    sum = (sum >> 16) + (sum & 0xFFFF);
    sum = (sum >> 16) + (sum & 0xFFFF);
    return ~sum & 0xFFFF;
  }

  /** Four families and transports, 50,000 frames each. */
  @Requirement("N35")
  @EveryTransport
  void shouldTranslateRandomFramesWithChecksumsAsIfSummedAgain(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      Random random = new Random(77);
      int[] ports = new int[50];
      for (int host = 0; host < ports.length; host++) {
        ports[host] = net.open(tcp, host + 1, 5000, net.peer(1), 80).sourcePort();
      }
      for (int n = 0; n < FRAMES; n++) {
        int host = random.nextInt(ports.length);
        byte[] data = new byte[random.nextInt(60)];
        random.nextBytes(data);
        boolean inside = random.nextBoolean();
        FrameBuilder frame =
            inside
                ? Network.transport(net.from(host + 1, net.peer(1)), tcp, 5000, 80, TcpHeader.ACK)
                : Network.transport(net.to(net.external(1), net.peer(1)), tcp, 80, ports[host], TcpHeader.ACK);
        frame.numbers(random.nextInt(), random.nextInt()).payload(data).timeToLive(2 + random.nextInt(254));
        Packet sent = (inside ? net.fromInside(frame) : net.fromOutside(frame)).forwarded();
        if (inside) {
          assertThat(sent.sourcePort()).isEqualTo(ports[host]);
        } else {
          assertThat(sent.destination()).isEqualTo(net.inside(host + 1));
        }
        assertThat(sent.payload()).isEqualTo(data);
        net.sent.clear();
      }
    }
  }
}

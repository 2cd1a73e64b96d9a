package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.Arrays;

/**
 * A frame, or a packet quoted in an ICMP error, taken apart. Immutable. It reads and sums the bytes by itself, so that
 * nothing of the code under test vouches for the code under test.
 */
final class Packet {
  static final int ICMP = 1;
  static final int TCP = 6;
  static final int UDP = 17;
  static final int ICMPV6 = 58;

  private static final int FRAGMENT = 44;

  final int link;
  final long marks;
  final byte[] bytes;
  final int network;
  final boolean v6;
  final int protocol;
  final int transport;
  final int fragmentHeader;

  private Packet(int link, long marks, byte[] bytes, int network) {
    this.link = link;
    this.marks = marks;
    this.bytes = bytes;
    this.network = network;
    this.v6 = bytes.length >= network + 40 && u8(network) >> 4 == 6;
    int next = v6 ? u8(network + 6) : u8(network + 9);
    int at = network + (v6 ? 40 : (u8(network) & 15) * 4);
    int fragment = -1;
    while (v6 && (next == 0 || next == 43 || next == FRAGMENT || next == 60)) {
      fragment = next == FRAGMENT ? at : fragment;
      int length = next == FRAGMENT ? 8 : 8 + 8 * u8(at + 1);
      next = u8(at);
      at += length;
    }
    this.protocol = next;
    this.transport = at;
    this.fragmentHeader = fragment;
  }

  /** Not ARP. */
  boolean isIp() {
    return network == 0 || type(bytes, network - 2) == 0x0800 || type(bytes, network - 2) == 0x86DD;
  }

  /** A whole frame. */
  static Packet of(int link, ByteBuf frame, long marks) {
    byte[] bytes = ByteBufUtil.getBytes(frame);
    int network = 14;
    while (type(bytes, network - 2) == 0x8100 || type(bytes, network - 2) == 0x88A8) {
      network += 4;
    }
    return new Packet(link, marks, bytes, network);
  }

  static Packet of(ByteBuf frame) {
    return of(-1, frame, FrameMarks.NONE);
  }

  /** A packet without link layer, perhaps with its end cut off. */
  static Packet ofIp(byte[] packet) {
    return new Packet(-1, FrameMarks.NONE, packet, 0);
  }

  private static int type(byte[] bytes, int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }

  int u8(int at) {
    return bytes[at] & 0xFF;
  }

  int u16(int at) {
    return u8(at) << 8 | u8(at + 1);
  }

  int u32(int at) {
    return u16(at) << 16 | u16(at + 2);
  }

  String destinationMac() {
    return MacAddress.of(hex(0, 6).replaceAll("(..)(?=.)", "$1:")).toString();
  }

  String sourceMac() {
    return MacAddress.of(hex(6, 12).replaceAll("(..)(?=.)", "$1:")).toString();
  }

  String source() {
    return v6 ? address(network + 8, 16) : address(network + 12, 4);
  }

  String destination() {
    return v6 ? address(network + 24, 16) : address(network + 16, 4);
  }

  private String address(int at, int length) {
    return IpAddress.of(Arrays.copyOfRange(bytes, at, at + length)).toString();
  }

  int timeToLive() {
    return v6 ? u8(network + 7) : u8(network + 8);
  }

  /** Length of the IP packet as its header has it. */
  int length() {
    return v6 ? 40 + u16(network + 4) : u16(network + 2);
  }

  /** Where the packet ends; what follows is padding. */
  int end() {
    return Math.min(bytes.length, network + length());
  }

  boolean dontFragment() {
    return !v6 && (u16(network + 6) & 0x4000) != 0;
  }

  boolean moreFragments() {
    return v6 ? fragmentHeader >= 0 && (u16(fragmentHeader + 2) & 1) != 0 : (u16(network + 6) & 0x2000) != 0;
  }

  int fragmentOffset() {
    if (v6) {
      return fragmentHeader < 0 ? 0 : u16(fragmentHeader + 2) & 0xFFF8;
    }
    return (u16(network + 6) & 0x1FFF) * 8;
  }

  boolean isFragment() {
    return moreFragments() || fragmentOffset() > 0;
  }

  int identification() {
    return v6 ? u32(fragmentHeader + 4) : u16(network + 4);
  }

  byte[] ipOptions() {
    return Arrays.copyOfRange(bytes, network + 20, network + (u8(network) & 15) * 4);
  }

  int sourcePort() {
    return u16(transport);
  }

  int destinationPort() {
    return u16(transport + 2);
  }

  /** Source as {@code address port}. */
  String from() {
    return source() + " " + sourcePort();
  }

  /** Destination as {@code address port}. */
  String to() {
    return destination() + " " + destinationPort();
  }

  int sequence() {
    return u32(transport + 4);
  }

  int acknowledgment() {
    return u32(transport + 8);
  }

  int flags() {
    return u8(transport + 13);
  }

  byte[] tcpOptions() {
    return Arrays.copyOfRange(bytes, transport + 20, transport + (u8(transport + 12) >> 4) * 4);
  }

  /** What follows the transport header; for later fragments, what follows the network header. */
  byte[] payload() {
    int header = fragmentOffset() > 0 ? 0 : headerLength();
    return Arrays.copyOfRange(bytes, transport + header, end());
  }

  private int headerLength() {
    return protocol == TCP ? (u8(transport + 12) >> 4) * 4 : 8;
  }

  /** What the IP packet carries after its headers: transport header and data, or a fragment of that. */
  byte[] body() {
    return Arrays.copyOfRange(bytes, transport, end());
  }

  /** The IP packet without link layer and padding. */
  byte[] packet() {
    return Arrays.copyOfRange(bytes, network, end());
  }

  /** What follows the packet in the frame. */
  byte[] trailer() {
    return Arrays.copyOfRange(bytes, end(), bytes.length);
  }

  int icmpType() {
    return u8(transport);
  }

  int icmpCode() {
    return u8(transport + 1);
  }

  /** The 32 bits after the checksum. */
  int icmpWord() {
    return u32(transport + 4);
  }

  int icmpIdentifier() {
    return u16(transport + 4);
  }

  /** The packet that an ICMP error quotes. */
  Packet quote() {
    return ofIp(Arrays.copyOfRange(bytes, transport + 8, end()));
  }

  private int checksumAt() {
    return switch (protocol) {
      case TCP -> transport + 16;
      case UDP -> transport + 6;
      case ICMP, ICMPV6 -> transport + 2;
      default -> -1;
    };
  }

  int checksum() {
    return u16(checksumAt());
  }

  /** Sum of bytes as 16-bit words, carries added in (RFC 1071). */
  private int sum(int from, int to) {
    long sum = 0;
    for (int at = from; at < to; at += 2) {
      sum += at + 1 < to ? u16(at) : u8(at) << 8;
    }
    while (sum > 0xFFFF) {
      sum = (sum >> 16) + (sum & 0xFFFF);
    }
    return (int) sum;
  }

  private static int add(int one, int other) {
    int sum = one + other;
    return (sum >> 16) + (sum & 0xFFFF);
  }

  /** Sum of the pseudo-header, 0 where there is none. */
  int pseudoHeader() {
    if (protocol == ICMP) {
      return 0;
    }
    int addresses = v6 ? sum(network + 8, network + 40) : sum(network + 12, network + 20);
    int length = network + length() - transport;
    return add(add(addresses, protocol), add(length >> 16, length & 0xFFFF));
  }

  /** The checksum that would be right, computed from every byte. */
  int rightChecksum() {
    int field = checksum();
    int without = add(sum(transport, end()), ~field & 0xFFFF);
    int checksum = ~add(without, pseudoHeader()) & 0xFFFF;
    return checksum == 0 && protocol == UDP ? 0xFFFF : checksum;
  }

  /** How far the checksum is from right, in one's complement arithmetic: 0..0xFFFE. */
  int checksumError() {
    return add(checksum(), ~rightChecksum() & 0xFFFF) % 0xFFFF;
  }

  boolean ipChecksumIsRight() {
    return v6 || sum(network, network + (u8(network) & 15) * 4) == 0xFFFF;
  }

  boolean transportChecksumIsRight() {
    if (checksumAt() < 0 || isFragment()) {
      return true;
    }
    if (protocol == UDP && checksum() == 0) {
      return !v6;
    }
    return checksum() == rightChecksum();
  }

  /** Every length and checksum is right. */
  Packet assertSound() {
    assertThat(ipChecksumIsRight()).as("IPv4 header checksum of %s", this).isTrue();
    assertThat(bytes.length).as("frame holds the packet: %s", this).isGreaterThanOrEqualTo(network + length());
    if ((marks & FrameMarks.CHECKSUM_PARTIAL) == 0) {
      assertThat(transportChecksumIsRight()).as("transport checksum of %s", this).isTrue();
    }
    return this;
  }

  String hex(int from, int to) {
    return ByteBufUtil.hexDump(bytes, from, to - from);
  }

  @Override
  public String toString() {
    String end = fragmentOffset() > 0 ? "fragment " + fragmentOffset() : "protocol " + protocol;
    return "link " + link + " " + source() + " > " + destination() + " " + end + " " + ByteBufUtil.hexDump(bytes);
  }
}

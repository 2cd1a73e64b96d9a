package io.lb4j.testkit;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Builds test frames, right in every length and checksum unless told otherwise: Ethernet with up to any number of tags,
 * IPv4 or IPv6, TCP, UDP, ICMP or raw payload, whole or as a fragment. Owned by one test.
 */
public final class FrameBuilder {
  private long destinationMac = 0x0200_0000_0005L;
  private long sourceMac = 0x0200_0000_0001L;
  private int[] vlans = {};
  private IpAddress source;
  private IpAddress destination;
  private int timeToLive = 64;
  private int protocol = IpProtocol.TCP;
  private int sourcePort;
  private int destinationPort;
  private int flags = TcpHeader.SYN;
  private int sequence = 1;
  private int acknowledgment;
  private int window = 65_535;
  private byte[] payload = {};
  private byte[] ipOptions = {};
  private byte[] tcpOptions = {};
  private boolean mayFragment;
  private byte[] extensions = {};
  private int firstExtension = -1;
  private int identification;
  private int fragmentOffset;
  private boolean moreFragments;
  private boolean fragment;
  private int padTo;

  private FrameBuilder(IpAddress source, IpAddress destination) {
    this.source = source;
    this.destination = destination;
  }

  /**
   * Begins a frame between two addresses of one family.
   *
   * @param source for example {@code 198.51.100.10}
   * @param destination for example {@code 192.0.2.100}
   * @return a builder of a TCP SYN
   */
  public static FrameBuilder from(String source, String destination) {
    return new FrameBuilder(IpAddress.of(source), IpAddress.of(destination));
  }

  /**
   * Sets the MAC addresses.
   *
   * @param destinationAddress where the frame goes
   * @param sourceAddress where it comes from
   * @return this
   */
  public FrameBuilder macs(String destinationAddress, String sourceAddress) {
    destinationMac = MacAddress.of(destinationAddress).value();
    sourceMac = MacAddress.of(sourceAddress).value();
    return this;
  }

  /**
   * Puts VLAN tags in, the outer first; the outer of two is 802.1ad.
   *
   * @param ids VLAN ids
   * @return this
   */
  public FrameBuilder vlan(int... ids) {
    vlans = ids.clone();
    return this;
  }

  /**
   * Sets the time to live or hop limit.
   *
   * @param value 0..255
   * @return this
   */
  public FrameBuilder timeToLive(int value) {
    timeToLive = value;
    return this;
  }

  /**
   * Makes it a TCP segment.
   *
   * @param from source port
   * @param to destination port
   * @param newFlags as in {@link TcpHeader}
   * @return this
   */
  public FrameBuilder tcp(int from, int to, int newFlags) {
    protocol = IpProtocol.TCP;
    sourcePort = from;
    destinationPort = to;
    flags = newFlags;
    return this;
  }

  /**
   * Sets the TCP numbers.
   *
   * @param newSequence sequence number
   * @param newAcknowledgment acknowledgment number
   * @return this
   */
  public FrameBuilder numbers(int newSequence, int newAcknowledgment) {
    sequence = newSequence;
    acknowledgment = newAcknowledgment;
    return this;
  }

  /**
   * Sets the TCP window.
   *
   * @param bytes 0..65535; 65,535 unless told otherwise
   * @return this
   */
  public FrameBuilder window(int bytes) {
    window = bytes;
    return this;
  }

  /**
   * Puts TCP options in.
   *
   * @param bytes a multiple of 4, 40 at most
   * @return this
   */
  public FrameBuilder tcpOptions(byte... bytes) {
    tcpOptions = bytes.clone();
    return this;
  }

  /**
   * Makes it a UDP datagram.
   *
   * @param from source port
   * @param to destination port
   * @return this
   */
  public FrameBuilder udp(int from, int to) {
    protocol = IpProtocol.UDP;
    sourcePort = from;
    destinationPort = to;
    return this;
  }

  /**
   * Makes it an ICMP or ICMPv6 message, by the family; its checksum is computed.
   *
   * @param type of the message
   * @param code of the message
   * @param rest bytes after the checksum, four at least
   * @return this
   */
  public FrameBuilder icmp(int type, int code, byte[] rest) {
    protocol = source.isV6() ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    payload = new byte[4 + rest.length];
    payload[0] = (byte) type;
    payload[1] = (byte) code;
    System.arraycopy(rest, 0, payload, 4, rest.length);
    return this;
  }

  /**
   * Makes it a packet of another protocol with the payload alone.
   *
   * @param number of the protocol
   * @return this
   */
  public FrameBuilder protocol(int number) {
    protocol = number;
    return this;
  }

  /**
   * Sets what follows the transport header.
   *
   * @param bytes any
   * @return this
   */
  public FrameBuilder payload(byte... bytes) {
    payload = bytes.clone();
    return this;
  }

  /**
   * Puts IPv4 options in.
   *
   * @param bytes a multiple of 4, 40 at most
   * @return this
   */
  public FrameBuilder ipOptions(byte... bytes) {
    ipOptions = bytes.clone();
    return this;
  }

  /**
   * Puts IPv6 extension headers in, whose last names the transport itself.
   *
   * @param first number of the first header
   * @param bytes the headers
   * @return this
   */
  public FrameBuilder extensions(int first, byte... bytes) {
    firstExtension = first;
    extensions = bytes.clone();
    return this;
  }

  /**
   * Makes it a fragment: the transport header is written only at offset 0.
   *
   * @param id identification
   * @param offset in bytes, a multiple of 8
   * @param more whether others follow
   * @return this
   */
  public FrameBuilder fragment(int id, int offset, boolean more) {
    fragment = true;
    identification = id;
    fragmentOffset = offset;
    moreFragments = more;
    return this;
  }

  /**
   * Lets routers fragment a whole IPv4 packet, which they must not do otherwise.
   *
   * @param id identification
   * @return this
   */
  public FrameBuilder mayFragment(int id) {
    mayFragment = true;
    identification = id;
    return this;
  }

  /**
   * Pads the frame behind the packet, with bytes that no checksum may count.
   *
   * @param length of the frame at least
   * @return this
   */
  public FrameBuilder padTo(int length) {
    padTo = length;
    return this;
  }

  /**
   * Writes the frame.
   *
   * @return an unpooled heap buffer, the caller's
   */
  public ByteBuf build() {
    byte[] transport = transport();
    int network = EthernetHeader.LENGTH + vlans.length * EthernetHeader.TAG_LENGTH;
    ByteBuf frame = Unpooled.buffer(2048);
    frame.writeZero(network);
    EthernetHeader.setAddresses(frame, 0, destinationMac, sourceMac);
    for (int i = 0; i < vlans.length; i++) {
      boolean service = vlans.length > 1 && i == 0;
      frame.setShort(12 + 4 * i, service ? EthernetHeader.SERVICE_VLAN : EthernetHeader.VLAN);
      frame.setShort(14 + 4 * i, vlans[i]);
    }
    frame.setShort(network - 2, source.isV6() ? EthernetHeader.IPV6 : EthernetHeader.IPV4);
    if (source.isV6()) {
      writeIpv6(frame, transport);
    } else {
      writeIpv4(frame, transport);
    }
    while (frame.readableBytes() < padTo) {
      frame.writeByte(0xFF);
    }
    return frame;
  }

  private void writeIpv4(ByteBuf frame, byte[] transport) {
    int ip = frame.writerIndex();
    int headerLength = Ipv4Header.MINIMUM_LENGTH + ipOptions.length;
    frame.writeZero(Ipv4Header.MINIMUM_LENGTH).writeBytes(ipOptions).writeBytes(transport);
    Ipv4Header.write(
        frame,
        ip,
        headerLength + transport.length,
        timeToLive,
        protocol,
        (int) source.low(),
        (int) destination.low());
    frame.setByte(ip, 0x40 | headerLength >> 2);
    if (fragment) {
      frame.setShort(ip + Ipv4Header.IDENTIFICATION_OFFSET, identification);
      int more = moreFragments ? Ipv4Header.MORE_FRAGMENTS : 0;
      frame.setShort(ip + Ipv4Header.FRAGMENT_OFFSET, more | fragmentOffset >> 3);
    } else if (mayFragment) {
      frame.setShort(ip + Ipv4Header.IDENTIFICATION_OFFSET, identification);
      frame.setShort(ip + Ipv4Header.FRAGMENT_OFFSET, 0);
    }
    Ipv4Header.updateChecksum(frame, ip);
  }

  private void writeIpv6(ByteBuf frame, byte[] transport) {
    int ip = frame.writerIndex();
    int fragmentLength = fragment ? 8 : 0;
    int next = firstExtension >= 0 ? firstExtension : fragment ? IpProtocol.FRAGMENT : protocol;
    frame.writeZero(Ipv6Header.LENGTH).writeBytes(extensions);
    if (fragment) {
      frame.writeByte(protocol).writeByte(0);
      frame.writeShort(fragmentOffset | (moreFragments ? 1 : 0)).writeInt(identification);
    }
    frame.writeBytes(transport);
    Ipv6Header.write(
        frame,
        ip,
        extensions.length + fragmentLength + transport.length,
        next,
        timeToLive,
        source.high(),
        source.low(),
        destination.high(),
        destination.low());
  }

  private byte[] transport() {
    if (fragment && fragmentOffset > 0) {
      return payload;
    }
    ByteBuf out = Unpooled.buffer();
    int checksum = -1;
    if (protocol == IpProtocol.TCP) {
      out.writeShort(sourcePort).writeShort(destinationPort).writeInt(sequence).writeInt(acknowledgment);
      out.writeByte(0x50 + (tcpOptions.length << 2)).writeByte(flags).writeShort(window).writeInt(0);
      out.writeBytes(tcpOptions);
      checksum = TcpHeader.CHECKSUM_OFFSET;
    } else if (protocol == IpProtocol.UDP) {
      out.writeShort(sourcePort).writeShort(destinationPort);
      out.writeShort(UdpHeader.LENGTH + payload.length).writeShort(0);
      checksum = UdpHeader.CHECKSUM_OFFSET;
    } else if (protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6) {
      checksum = 2;
    }
    out.writeBytes(payload);
    if (checksum >= 0) {
      long pseudo = protocol == IpProtocol.ICMP ? 0 : pseudoHeader(out.readableBytes());
      int sum = InternetChecksum.finish(InternetChecksum.sum(out, 0, out.readableBytes(), pseudo));
      out.setShort(checksum, sum == 0 && protocol == IpProtocol.UDP ? 0xFFFF : sum);
    }
    byte[] bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    return bytes;
  }

  private long pseudoHeader(int length) {
    ByteBuf addresses = Unpooled.wrappedBuffer(source.octets(), destination.octets());
    return InternetChecksum.sum(addresses, 0, addresses.readableBytes(), (long) protocol + length);
  }
}

package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Frames made of other frames: ICMP errors that quote, fragments, and what neighbours answer. */
final class Frames {
  private Frames() {}

  /** Repeatable bytes. */
  static byte[] bytes(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** Turns a frame into an ICMP error. */
  static FrameBuilder error(FrameBuilder frame, int type, int code, int word, byte[] quote) {
    byte[] rest = new byte[4 + quote.length];
    Unpooled.wrappedBuffer(rest).setInt(0, word).setBytes(4, quote);
    return frame.icmp(type, code, rest);
  }

  /** An echo request with an identifier, the sequence number 1, and four bytes. */
  static FrameBuilder echo(FrameBuilder frame, boolean v6, int identifier) {
    return frame.icmp(v6 ? 128 : 8, 0, query(identifier));
  }

  static FrameBuilder echoReply(FrameBuilder frame, boolean v6, int identifier) {
    return frame.icmp(v6 ? 129 : 0, 0, query(identifier));
  }

  static byte[] query(int identifier) {
    return new byte[] {(byte) (identifier >> 8), (byte) identifier, 0, 1, 9, 8, 7, 6};
  }

  /** What an IPv4 router quotes at least, header and eight bytes; an IPv6 router quotes as much as it can. */
  static byte[] quoteOf(Packet packet) {
    byte[] all = packet.packet();
    return packet.v6 ? all : Arrays.copyOf(all, packet.transport - packet.network + 8);
  }

  /**
   * Cuts an untagged frame without extension headers into fragments.
   *
   * @param size bytes of each but the last, a multiple of 8
   */
  static List<ByteBuf> fragments(ByteBuf frame, int id, int size) {
    Packet whole = Packet.of(frame);
    byte[] body = whole.body();
    List<ByteBuf> fragments = new ArrayList<>();
    for (int offset = 0; offset < body.length; offset += size) {
      int length = Math.min(size, body.length - offset);
      boolean more = offset + length < body.length;
      ByteBuf fragment = Unpooled.buffer();
      fragment.writeBytes(whole.bytes, 0, whole.transport);
      if (whole.v6) {
        fragment.setByte(whole.network + 6, 44).setShort(whole.network + 4, length + 8);
        fragment.writeByte(whole.protocol).writeByte(0).writeShort(offset | (more ? 1 : 0)).writeInt(id);
      } else {
        int header = whole.transport - whole.network;
        fragment.setShort(whole.network + 2, header + length).setShort(whole.network + 4, id);
        fragment.setShort(whole.network + 6, offset >> 3 | (more ? 0x2000 : 0));
        Ipv4Header.updateChecksum(fragment, whole.network);
      }
      fragments.add(fragment.writeBytes(body, offset, length));
    }
    return fragments;
  }

  /** Puts fragments of one datagram together; they may be in any order, but not overlap or leave a gap. */
  static Packet reassemble(List<Packet> fragments) {
    List<Packet> inOrder = new ArrayList<>(fragments);
    inOrder.sort((a, b) -> Integer.compare(a.fragmentOffset(), b.fragmentOffset()));
    Packet first = inOrder.get(0);
    ByteBuf datagram = Unpooled.buffer();
    int header = first.fragmentHeader >= 0 ? first.fragmentHeader : first.transport;
    datagram.writeBytes(first.bytes, first.network, header - first.network);
    int start = datagram.writerIndex();
    for (Packet fragment : inOrder) {
      boolean last = fragment == inOrder.get(inOrder.size() - 1);
      boolean fits =
          fragment.fragmentOffset() == datagram.writerIndex() - start
              && fragment.moreFragments() != last
              && fragment.identification() == first.identification()
              && fragment.source().equals(first.source())
              && fragment.destination().equals(first.destination());
      if (!fits) {
        throw new AssertionError("fragments do not make a datagram: " + fragments);
      }
      datagram.writeBytes(fragment.body());
    }
    int length = datagram.writerIndex();
    if (first.v6) {
      datagram.setShort(4, length - 40).setByte(6, first.protocol);
    } else {
      datagram.setShort(2, length).setShort(6, 0);
      Ipv4Header.updateChecksum(datagram, 0);
    }
    byte[] bytes = new byte[length];
    datagram.readBytes(bytes);
    return Packet.ofIp(bytes).assertSound();
  }

  /** What a neighbour answers when it is asked for: an ARP reply, or an advertisement. */
  static ByteBuf neighborAnswer(Network net, int link, String address, String mac) {
    String ours = link == Network.OUTSIDE ? Network.OUTSIDE_MAC : Network.INSIDE_MAC;
    return net.v6
        ? advertisement(address, net.own(link), mac, ours).build()
        : arpReply(address, net.own(link), MacAddress.of(mac).value(), MacAddress.of(ours).value());
  }

  private static FrameBuilder advertisement(String from, String to, String mac, String ours) {
    ByteBuf rest = Unpooled.buffer().writeInt(0x60000000).writeBytes(IpAddress.of(from).octets());
    rest.writeByte(2).writeByte(1).writeBytes(ByteBufUtil.decodeHexDump(mac.replace(":", "")));
    return FrameBuilder.from(from, to).macs(ours, mac).timeToLive(255).icmp(136, 0, ByteBufUtil.getBytes(rest));
  }

  private static ByteBuf arpReply(String from, String to, long mac, long ours) {
    ByteBuf frame = Unpooled.buffer().writeZero(42);
    EthernetHeader.setAddresses(frame, 0, ours, mac);
    frame.setShort(12, 0x0806);
    int sender = (int) IpAddress.of(from).low();
    ArpPacket.write(frame, 14, ArpPacket.REPLY, mac, sender, ours, (int) IpAddress.of(to).low());
    return frame;
  }
}

package io.lb4j.benchmarks;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A frame as packet libraries with an object per packet show it: each header an object that keeps a copy of its bytes,
 * addresses as {@code InetAddress}. Untagged, without options.
 *
 * @param ethernet the link layer's header
 * @param ip the network layer's
 * @param tcp the transport layer's
 */
record PlainPacket(Ethernet ethernet, Ip ip, Tcp tcp) {
  /** Addresses, and what follows. */
  record Ethernet(byte[] destination, byte[] source, int type, byte[] payload) {}

  /** Addresses, and what follows. */
  record Ip(InetAddress source, InetAddress destination, int protocol, int life, byte[] payload) {}

  /** Ports and flags, and what follows. */
  record Tcp(int sourcePort, int destinationPort, int sequence, int flags, byte[] payload) {}

  static PlainPacket of(byte[] frame) throws UnknownHostException {
    Ethernet ethernet =
        new Ethernet(
            Arrays.copyOf(frame, 6),
            Arrays.copyOfRange(frame, 6, 12),
            ByteBuffer.wrap(frame).getShort(12) & 0xFFFF,
            Arrays.copyOfRange(frame, 14, frame.length));
    Ip ip = ip(ethernet);
    ByteBuffer segment = ByteBuffer.wrap(ip.payload);
    int header = (segment.get(12) & 0xF0) >> 2;
    Tcp tcp =
        new Tcp(
            segment.getShort(0) & 0xFFFF,
            segment.getShort(2) & 0xFFFF,
            segment.getInt(4),
            segment.get(13) & 0xFF,
            Arrays.copyOfRange(ip.payload, header, ip.payload.length));
    return new PlainPacket(ethernet, ip, tcp);
  }

  private static Ip ip(Ethernet ethernet) throws UnknownHostException {
    byte[] packet = ethernet.payload;
    if (ethernet.type == 0x86DD) {
      int end = 40 + (ByteBuffer.wrap(packet).getShort(4) & 0xFFFF);
      return new Ip(
          InetAddress.getByAddress(Arrays.copyOfRange(packet, 8, 24)),
          InetAddress.getByAddress(Arrays.copyOfRange(packet, 24, 40)),
          packet[6] & 0xFF,
          packet[7] & 0xFF,
          Arrays.copyOfRange(packet, 40, end));
    }
    int end = ByteBuffer.wrap(packet).getShort(2) & 0xFFFF;
    return new Ip(
        InetAddress.getByAddress(Arrays.copyOfRange(packet, 12, 16)),
        InetAddress.getByAddress(Arrays.copyOfRange(packet, 16, 20)),
        packet[9] & 0xFF,
        packet[8] & 0xFF,
        Arrays.copyOfRange(packet, 20, end));
  }
}

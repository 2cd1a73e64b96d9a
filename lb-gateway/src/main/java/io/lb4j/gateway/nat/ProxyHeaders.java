package io.lb4j.gateway.nat;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Arrays;

/**
 * PROXY protocol, version 2 (haproxy, proxy-protocol.txt, section 2.2): the client's address, told to the server before
 * the first byte of a TCP connection. Owned by one worker.
 *
 * <p>The header is a segment of its own, so that the client's need not become larger than the path allows. From then on
 * the client's sequence numbers are moved up by its length, and acknowledgments to the client, selective ones included
 * (RFC 2018), down. The client's first data sent again brings the header again.
 */
final class ProxyHeaders {
  /** Slots; a session stores its own in 14 bits. */
  static final int CAPACITY = (int) Word.MAX_CHECK;

  static final int NONE = 0;

  private static final int V4_LENGTH = 16 + 12;
  private static final int V6_LENGTH = 16 + 36;
  private static final long SIGNATURE_HIGH = 0x0D0A_0D0A_000D_0A51L;
  private static final int SIGNATURE_LOW = 0x5549_540A;
  private static final int VERSION_2_PROXY = 0x21;
  private static final int TCP_OVER_IPV4 = 0x11;
  private static final int TCP_OVER_IPV6 = 0x21;
  private static final int OPTION_NOP = 1;
  private static final int OPTION_SACK = 5;

  private static final byte WAITING = 1; // for the client's first data
  private static final byte SENT = 2;
  private static final byte ENDED_WITHOUT_DATA = 3;

  private final ByteBufAllocator allocator;
  private int[] firstByte = new int[64]; // the client's sequence number after its SYN, by slot
  private byte[] phase = new byte[64];
  private int[] free = new int[64];
  private int freeCount;
  private int highest;

  ProxyHeaders(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  /** A slot for a connection that begins with a SYN; {@link #NONE} when all are in use. */
  int begin(FrameView syn) {
    int slot = freeCount > 0 ? free[--freeCount] : highest < CAPACITY ? ++highest : NONE;
    if (slot != NONE) {
      if (slot >= firstByte.length) {
        grow();
      }
      firstByte[slot] = syn.tcpSequence() + 1;
      phase[slot] = WAITING;
    }
    return slot;
  }

  private void grow() {
    int size = Math.min(CAPACITY + 1, firstByte.length * 2);
    firstByte = Arrays.copyOf(firstByte, size);
    phase = Arrays.copyOf(phase, size);
    free = Arrays.copyOf(free, size);
  }

  void end(int slot) {
    free[freeCount++] = slot;
  }

  private static int lengthOf(boolean v6) {
    return v6 ? V6_LENGTH : V4_LENGTH;
  }

  /** A SYN sent again, perhaps by a client that began anew. */
  void onSyn(int slot, FrameView syn) {
    if (phase[slot] == WAITING) {
      firstByte[slot] = syn.tcpSequence() + 1;
    }
  }

  /** Whether the header has to go out before this segment of the client. */
  boolean isDue(int slot, FrameView view) {
    boolean start = view.tcpSequence() == firstByte[slot] && (view.tcpFlags() & TcpHeader.SYN) == 0;
    if (start && view.payloadLength() == 0 && (view.tcpFlags() & TcpHeader.FIN) != 0 && phase[slot] == WAITING) {
      phase[slot] = ENDED_WITHOUT_DATA;
    }
    return start && view.payloadLength() > 0;
  }

  /** The header as a segment, made of the client's first data as it was translated, its sequence number unmoved. */
  ByteBuf segment(int slot, FrameView view, Tuple client) {
    phase[slot] = SENT;
    ByteBuf buffer = view.buffer();
    int tcp = view.transport();
    int headers = tcp - view.start() + TcpHeader.headerLength(buffer, tcp);
    int header = lengthOf(view.isV6());
    int size = headers + header;
    ByteBuf segment = allocator.buffer(size, size);
    segment.writeBytes(buffer, view.start(), headers);
    write(segment, client);
    int ip = view.network() - view.start();
    int transport = tcp - view.start();
    int length = size - transport;
    segment.setByte(transport + TcpHeader.FLAGS_OFFSET, TcpHeader.ACK | TcpHeader.PSH);
    segment.setShort(transport + TcpHeader.CHECKSUM_OFFSET, 0);
    long pseudo;
    if (view.isV6()) {
      segment.setShort(ip + Ipv6Header.PAYLOAD_LENGTH_OFFSET, size - ip - Ipv6Header.LENGTH);
      pseudo = InternetChecksum.pseudoHeader6(segment, ip, IpProtocol.TCP, length);
    } else {
      segment.setShort(ip + Ipv4Header.TOTAL_LENGTH_OFFSET, size - ip);
      Ipv4Header.updateChecksum(segment, ip);
      pseudo =
          InternetChecksum.pseudoHeader4(
              Ipv4Header.source(segment, ip), Ipv4Header.destination(segment, ip), IpProtocol.TCP, length);
    }
    segment.setShort(
        transport + TcpHeader.CHECKSUM_OFFSET,
        InternetChecksum.finish(InternetChecksum.sum(segment, transport, length, pseudo)));
    return segment;
  }

  private static void write(ByteBuf segment, Tuple client) {
    segment.writeLong(SIGNATURE_HIGH).writeInt(SIGNATURE_LOW).writeByte(VERSION_2_PROXY);
    segment.writeByte(client.v6 ? TCP_OVER_IPV6 : TCP_OVER_IPV4).writeShort(lengthOf(client.v6) - 16);
    if (client.v6) {
      segment.writeLong(client.sourceHigh).writeLong(client.sourceLow);
      segment.writeLong(client.destinationHigh).writeLong(client.destinationLow);
    } else {
      segment.writeInt((int) client.sourceLow).writeInt((int) client.destinationLow);
    }
    segment.writeInt(client.ports);
  }

  /** Moves the sequence number of a client's segment on its way to the server. */
  void moveSequence(int slot, FrameView view) {
    int sequence = view.tcpSequence();
    boolean moves =
        phase[slot] != ENDED_WITHOUT_DATA
            && (view.tcpFlags() & TcpHeader.SYN) == 0
            && (sequence - firstByte[slot] > 0 || view.payloadLength() > 0 && sequence == firstByte[slot]);
    if (moves) {
      replace(view, TcpHeader.SEQUENCE_OFFSET, sequence + lengthOf(view.isV6()));
    }
  }

  /** Moves the acknowledgments of a server's segment on its way to the client. */
  void moveAcknowledgments(int slot, FrameView view) {
    if (phase[slot] != SENT || (view.tcpFlags() & TcpHeader.ACK) == 0) {
      return;
    }
    replace(view, TcpHeader.ACKNOWLEDGMENT_OFFSET, asClientSent(slot, view.tcpAcknowledgment(), view.isV6()));
    ByteBuf buffer = view.buffer();
    int tcp = view.transport();
    int end = TcpHeader.headerLength(buffer, tcp);
    for (int at = TcpHeader.MINIMUM_LENGTH; at < end; ) {
      int kind = buffer.getUnsignedByte(tcp + at);
      if (kind == OPTION_NOP) {
        at++;
        continue;
      }
      int length = kind == 0 || at + 1 >= end ? 0 : buffer.getUnsignedByte(tcp + at + 1);
      if (length < 2 || at + length > end) {
        return;
      }
      if (kind == OPTION_SACK) {
        for (int edge = at + 2; edge + 4 <= at + length; edge += 4) {
          replace(view, edge, asClientSent(slot, buffer.getInt(tcp + edge), view.isV6()));
        }
      }
      at += length;
    }
  }

  /** A sequence number of the server's side as the client knows it; one inside the header is the client's first. */
  int asClientSent(int slot, int sequence, boolean v6) {
    int beyond = sequence - firstByte[slot];
    boolean moved = phase[slot] == SENT && beyond > 0;
    return moved ? firstByte[slot] + Math.max(0, beyond - lengthOf(v6)) : sequence;
  }

  /** Replaces 32 bits of the TCP header, at any offset. */
  private static void replace(FrameView view, int offset, int value) {
    ByteBuf buffer = view.buffer();
    int tcp = view.transport();
    int old = buffer.getInt(tcp + offset);
    if (old == value) {
      return;
    }
    buffer.setInt(tcp + offset, value);
    if ((view.marks() & FrameMarks.CHECKSUM_PARTIAL) != 0) {
      return; // the sum of the pseudo-header does not cover it
    }
    int change = InternetChecksum.fold((~old & 0xFFFF_FFFFL) + (value & 0xFFFF_FFFFL));
    if ((offset & 1) != 0) {
      change = change >>> 8 | (change & 0xFF) << 8;
    }
    int checksum = buffer.getUnsignedShort(tcp + TcpHeader.CHECKSUM_OFFSET);
    buffer.setShort(
        tcp + TcpHeader.CHECKSUM_OFFSET, InternetChecksum.finish((~checksum & 0xFFFFL) + change));
  }
}

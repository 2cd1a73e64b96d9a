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

/**
 * PROXY protocol, version 2 (haproxy, proxy-protocol.txt, section 2.2): the client's address, told to the server before
 * the first byte of a TCP connection. Owned by one worker.
 *
 * <p>The header is a segment of its own, so that the client's need not become larger than the path allows. From then on
 * the client's sequence numbers are moved up by its length, and acknowledgments to the client, selective ones included
 * (RFC 2018), down. The client's first data sent again brings the header again.
 *
 * <p>What is known of a connection is a note in the session table, made when the server answers the SYN: its tuple is
 * the client's, with a protocol number of its own, its count the client's first sequence number after the SYN, its
 * state the phase. Where the header belongs is for the server to say, because nobody else knows which SYN it got: a
 * client that chose the place could put a header of its own before ours.
 *
 * <p>A server that keeps nothing of SYNs believes the first segment whose numbers fit its answer: SYN cookies still fit
 * when both are higher by as much (RFC 4987, section 3.6). So until the server has said more than its SYN-ACK, its
 * client acknowledges that and nothing else; the note's word has the number in place of binding and tick.
 */
final class ProxyHeaders {
  static final int NONE = Sessions.MISS;

  /** Of a session, beside its two directions: the note. */
  static final int ENTRIES = 1;

  private static final int V4_LENGTH = 16 + 12;
  private static final int V6_LENGTH = 16 + 36;
  private static final long SIGNATURE_HIGH = 0x0D0A_0D0A_000D_0A51L;
  private static final int SIGNATURE_LOW = 0x5549_540A;
  private static final int VERSION_2_PROXY = 0x21;
  private static final int TCP_OVER_IPV4 = 0x11;
  private static final int TCP_OVER_IPV6 = 0x21;
  private static final int OPTION_NOP = 1;
  private static final int OPTION_SACK = 5;

  private static final int WAITING = 1; // for the client's first data
  private static final int SENT = 2;
  private static final int ENDED_WITHOUT_DATA = 3;

  /** So much is acknowledged that the first byte cannot be sent again: all numbers move, also past 2 GiB. */
  private static final int SETTLED = 4;

  private static final int SETTLED_AFTER = 1 << 30;

  /** In a note's word: the server has said no more than its SYN-ACK. */
  private static final long ONLY_ANSWERED = 1L << 32;

  private final ByteBufAllocator allocator;
  private final Sessions sessions;
  private final Tuple key = new Tuple();
  private final Tuple value = new Tuple();

  ProxyHeaders(ByteBufAllocator allocator, Sessions sessions) {
    this.allocator = allocator;
    this.sessions = sessions;
  }

  private Tuple noteOf(Tuple client) {
    key.of(client);
    key.protocol = SessionTable.NOTES;
    return key;
  }

  /** What is known of a client's connection; {@link #NONE} while no server has answered its SYN. */
  int find(Tuple client) {
    return sessions.lookup(noteOf(client));
  }

  /**
   * A server answered a SYN: its client's data begin with the number that it acknowledges, whatever was known before.
   * The same answer once more leaves the phase as it is. False when there is no room.
   */
  boolean begin(Tuple client, FrameView answer) {
    int firstByte = answer.tcpAcknowledgment();
    int note = find(client);
    if (note == NONE) {
      if (!sessions.hasRoomForNote(client.v6)) {
        return false;
      }
      note = restore(client, WAITING, firstByte);
    } else if (firstByte(note) != firstByte || phase(note) == SETTLED) {
      sessions.setCount(note, firstByte);
      setPhase(note, WAITING);
    }
    setOnlyAnswered(note, answer.tcpSequence() + 1);
    return true;
  }

  /** Notes what is known of a connection, for which there is room. */
  int restore(Tuple client, int phase, int firstByte) {
    value.of(noteOf(client));
    int note = sessions.add(key, value, Word.of(Word.NOTE, SessionTable.code(key.protocol), phase, 0, 0));
    sessions.setCount(note, firstByte);
    return note;
  }

  /** The server has said no more than its SYN-ACK, behind which comes a number. */
  void setOnlyAnswered(int note, int next) {
    sessions.setWord(note, sessions.word(note) & ~0xFFFF_FFFFL | ONLY_ANSWERED | next & 0xFFFF_FFFFL);
  }

  boolean hasOnlyAnswered(int note) {
    return Word.has(sessions.word(note), ONLY_ANSWERED);
  }

  /** The server's next number, while it has said no more than its SYN-ACK. */
  int serversNext(int note) {
    return (int) sessions.word(note);
  }

  /** A server sent something else than a SYN-ACK or reset: it keeps the connection, whose numbers are fixed. */
  void onServerSpoke(int note) {
    if (hasOnlyAnswered(note)) {
      sessions.setWord(note, sessions.word(note) & ~ONLY_ANSWERED);
    }
  }

  /** Whether a client's segment does not acknowledge what its server has said, as far as that is known. */
  boolean acknowledgesOther(int note, FrameView view) {
    return hasOnlyAnswered(note) && view.tcpAcknowledgment() != serversNext(note);
  }

  /** A connection ended. */
  void end(Tuple client) {
    int note = find(client);
    if (note != NONE) {
      sessions.remove(note);
    }
  }

  int firstByte(int note) {
    return sessions.count(note);
  }

  int phase(int note) {
    return Word.state(sessions.word(note));
  }

  /** Whether a number is a phase, or 0 for a connection of which nothing is known yet. */
  static boolean isPhase(int number) {
    return number >= 0 && number <= SETTLED;
  }

  private void setPhase(int note, int phase) {
    sessions.setWord(note, Word.withState(sessions.word(note), phase));
  }

  private static int lengthOf(boolean v6) {
    return v6 ? V6_LENGTH : V4_LENGTH;
  }

  /** Whether a segment has data, perhaps only in fragments to come. */
  static boolean mayHaveData(FrameView view) {
    return view.payloadLength() > 0 || view.isFragment();
  }

  /**
   * Whether a client's segment may have data where the header belongs: it begins before and ends behind, perhaps in
   * fragments to come, or it follows an end without data, behind which no number moves.
   */
  boolean mayReachTheHeader(int note, FrameView view) {
    int before = firstByte(note) - view.tcpSequence();
    return switch (phase(note)) {
      case SETTLED -> false;
      case ENDED_WITHOUT_DATA -> mayHaveData(view) && before != 0 || view.isFragment();
      default -> view.isFragment() ? before >= 0 : before > 0 && view.payloadLength() > before;
    };
  }

  /** Whether the header has to go out before this segment of the client. */
  boolean isDue(int note, FrameView view) {
    boolean start =
        view.tcpSequence() == firstByte(note)
            && phase(note) != SETTLED
            && (view.tcpFlags() & TcpHeader.SYN) == 0;
    boolean ends = view.payloadLength() == 0 && (view.tcpFlags() & TcpHeader.FIN) != 0;
    if (start && ends && phase(note) == WAITING) {
      setPhase(note, ENDED_WITHOUT_DATA);
    }
    return start && view.payloadLength() > 0;
  }

  /** The header as a segment, made of the client's first data as it was translated, its sequence number unmoved. */
  ByteBuf segment(int note, FrameView view, Tuple client) {
    setPhase(note, SENT);
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
  void moveSequence(int note, FrameView view) {
    int sequence = view.tcpSequence();
    int phase = phase(note);
    int beyond = sequence - firstByte(note);
    boolean moves =
        phase == SETTLED
            || phase != ENDED_WITHOUT_DATA && (beyond > 0 || view.payloadLength() > 0 && beyond == 0);
    if (moves && (view.tcpFlags() & TcpHeader.SYN) == 0) {
      replace(view, TcpHeader.SEQUENCE_OFFSET, sequence + lengthOf(view.isV6()));
    }
  }

  /** Moves the acknowledgments of a server's segment on its way to the client. */
  void moveAcknowledgments(int note, FrameView view) {
    if (phase(note) < SENT || phase(note) == ENDED_WITHOUT_DATA || (view.tcpFlags() & TcpHeader.ACK) == 0) {
      return;
    }
    int acknowledged = view.tcpAcknowledgment();
    replace(view, TcpHeader.ACKNOWLEDGMENT_OFFSET, asClientSent(note, acknowledged, view.isV6()));
    if (acknowledged - firstByte(note) > SETTLED_AFTER) {
      setPhase(note, SETTLED);
    }
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
          replace(view, edge, asClientSent(note, buffer.getInt(tcp + edge), view.isV6()));
        }
      }
      at += length;
    }
  }

  /** A sequence number of the server's side as the client knows it; one inside the header is the client's first. */
  int asClientSent(int note, int sequence, boolean v6) {
    int beyond = sequence - firstByte(note);
    return switch (phase(note)) {
      case SETTLED -> sequence - lengthOf(v6);
      case SENT -> beyond > 0 ? firstByte(note) + Math.max(0, beyond - lengthOf(v6)) : sequence;
      default -> sequence;
    };
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

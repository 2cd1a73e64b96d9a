package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import io.lb4j.persistence.PersistenceScope;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Saved state as a stream of bytes, version 1. Numbers are in network order; times are ages and remainders in
 * nanoseconds, so that no clock travels. Stateless.
 *
 * <pre>
 *   stream   "LB4JSTAT" | version 16 | flags 16: 0 | block ...
 *   block    type 16 | length 32: at most 65536 | content | CRC-32C of all that 32
 *
 *   1 start    workers 16
 *   2 server   number 32 | direct 8 | service text | address | port 16                                 repeated
 *   3 flow     kind 8 | state 8 | protocol 8 | worker 8 | server 32 | sequence 32 | detail 64 | idle 64
 *              | source address | port 16 | destination address | port 16
 *              | translated 8: 0, or 1 | address | port 16                                            repeated
 *   4 table    number 32 | scope 8 | prefix4 8 | prefix6 8 | services 16 | text ...                     repeated
 *   5 member   table 32 | number 32 | address | port 16                                              repeated
 *   6 client   table 32 | member 32 | address | port 16 | remaining 64                               repeated
 *   7 end      flows 64 | clients 64
 *
 *   text       length 16 | UTF-8
 *   address    family 8: 4 or 6 | 32 or 128 bits
 * </pre>
 *
 * A server, table or member comes before what refers to it; a number that comes again means the later one. Blocks of
 * other types are skipped. What a reader of version 1 could misunderstand needs another version.
 */
final class StateFormat {
  static final byte[] MAGIC = "LB4JSTAT".getBytes(StandardCharsets.US_ASCII);
  static final int VERSION = 1;
  static final int BLOCK_BYTES = 1 << 16;
  static final int LONGEST_TEXT = 1 << 12;

  static final int START = 1;
  static final int SERVER = 2;
  static final int FLOW = 3;
  static final int TABLE = 4;
  static final int MEMBER = 5;
  static final int CLIENT = 6;
  static final int END = 7;

  /** Bytes of a record at most; texts come beside. */
  static final int MOST_BYTES = 128;

  /** Their order is the format's. */
  private static final List<FlowState> STATES =
      List.of(
          FlowState.FREE,
          FlowState.SYN,
          FlowState.ESTABLISHED,
          FlowState.FIN,
          FlowState.RESET,
          FlowState.UDP_FIRST,
          FlowState.UDP);

  private static final List<FlowRecord.Kind> KINDS =
      List.of(FlowRecord.Kind.DIRECT, FlowRecord.Kind.TRANSLATED, FlowRecord.Kind.OUTBOUND);
  private static final List<PersistenceScope> SCOPES =
      List.of(PersistenceScope.PORT, PersistenceScope.SERVICE, PersistenceScope.GROUP, PersistenceScope.VIP);

  private StateFormat() {}

  /** A saved flow, its binding as its saver numbered it. */
  record SavedFlow(FlowRecord record, int worker) {}

  private static <T> T at(List<T> values, int code, String what) {
    if (code >= values.size()) {
      throw new IllegalArgumentException("a " + what + " of number " + code);
    }
    return values.get(code);
  }

  static void putFlow(ByteBuffer to, FlowRecord flow, int worker) {
    to.put((byte) KINDS.indexOf(flow.kind()));
    to.put((byte) STATES.indexOf(flow.state()));
    to.put((byte) flow.protocol());
    to.put((byte) worker);
    to.putInt(flow.binding());
    to.putInt(flow.sequence());
    to.putLong(flow.detail());
    to.putLong(flow.idleNs());
    putAddress(to, flow.source());
    to.putShort((short) flow.sourcePort());
    putAddress(to, flow.destination());
    to.putShort((short) flow.destinationPort());
    IpAddress translated = flow.translated();
    to.put((byte) (translated == null ? 0 : 1));
    if (translated != null) {
      putAddress(to, translated);
      to.putShort((short) flow.translatedPort());
    }
  }

  static SavedFlow getFlow(ByteBuffer from) {
    FlowRecord.Kind kind = at(KINDS, number8(from), "kind of flow");
    FlowState state = at(STATES, number8(from), "state of a flow");
    int protocol = number8(from);
    int worker = number8(from);
    int binding = from.getInt();
    int sequence = from.getInt();
    long detail = from.getLong();
    long idleNs = from.getLong();
    IpAddress source = getAddress(from);
    int sourcePort = number16(from);
    IpAddress destination = getAddress(from);
    int destinationPort = number16(from);
    boolean translates = number8(from) != 0;
    @Nullable IpAddress translated = translates ? getAddress(from) : null;
    int translatedPort = translates ? number16(from) : 0;
    FlowRecord record =
        new FlowRecord(
            kind,
            protocol,
            source,
            sourcePort,
            destination,
            destinationPort,
            translated,
            translatedPort,
            binding,
            state,
            sequence,
            detail,
            idleNs);
    return new SavedFlow(record, worker);
  }

  static void putScope(ByteBuffer to, PersistenceScope scope) {
    to.put((byte) SCOPES.indexOf(scope));
  }

  static PersistenceScope getScope(ByteBuffer from) {
    return at(SCOPES, number8(from), "scope of persistence");
  }

  static void putAddress(ByteBuffer to, IpAddress address) {
    to.put((byte) (address.isV6() ? 6 : 4));
    if (address.isV6()) {
      to.putLong(address.high()).putLong(address.low());
    } else {
      to.putInt((int) address.low());
    }
  }

  static IpAddress getAddress(ByteBuffer from) {
    int family = number8(from);
    return switch (family) {
      case 4 -> IpAddress.v4(from.getInt());
      case 6 -> IpAddress.v6(from.getLong(), from.getLong());
      default -> throw new IllegalArgumentException("an address of family " + family);
    };
  }

  static void putText(ByteBuffer to, byte[] text) {
    to.putShort((short) text.length).put(text);
  }

  static String getText(ByteBuffer from) {
    int length = number16(from);
    if (length > LONGEST_TEXT) {
      throw new IllegalArgumentException("a text of " + length + " bytes");
    }
    byte[] text = new byte[length];
    from.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  static int number8(ByteBuffer from) {
    return from.get() & 0xFF;
  }

  static int number16(ByteBuffer from) {
    return from.getShort() & 0xFFFF;
  }
}

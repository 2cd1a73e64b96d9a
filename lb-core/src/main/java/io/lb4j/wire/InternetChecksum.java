package io.lb4j.wire;

import io.netty.buffer.ByteBuf;

/**
 * The one's complement checksum of IP, TCP, UDP and ICMP (RFC 1071) and its incremental update (RFC 1624). Safe from
 * any thread; allocates nothing. Running sums are not folded: the sum of 64 KiB fits in a {@code long} with room.
 */
public final class InternetChecksum {
  private static final int LONG_DATA = 64;

  private InternetChecksum() {}

  /**
   * Adds bytes to a running sum. An odd last byte counts as the upper half of a word.
   *
   * @param buffer holds the bytes
   * @param index of the first
   * @param length how many
   * @param sum the running sum, 0 to begin
   * @return the new running sum
   */
  public static long sum(ByteBuf buffer, int index, int length, long sum) {
    int at = index;
    int end = index + length;
    if (DirectMemory.AVAILABLE && length >= LONG_DATA) {
      long address = DirectMemory.addressOf(buffer);
      if (address != 0) {
        assert index >= 0 && end <= buffer.capacity();
        at = end - (length & 7);
        sum = sumWide(DirectMemory.base(address + index), length & -8, sum);
      }
    }
    for (; at + 4 <= end; at += 4) {
      sum += buffer.getUnsignedInt(at);
    }
    if (at + 2 <= end) {
      sum += buffer.getUnsignedShort(at);
      at += 2;
    }
    return at < end ? sum + (buffer.getUnsignedByte(at) << 8) : sum;
  }

  /** Data that is long, as of a segment and not a header: eight bytes at once, without a check for each. */
  private static long sumWide(long address, int length, long sum) {
    for (int i = 0; i < length; i += 8) {
      long word = DirectMemory.getLong(address + i);
      sum += (word >>> 32) + (word & 0xFFFF_FFFFL);
    }
    return sum;
  }

  /**
   * Folds a running sum to 16 bits.
   *
   * @param sum the running sum
   * @return 0..0xFFFF, not complemented; 0xFFFF over data that includes a right checksum
   */
  public static int fold(long sum) {
    sum = (sum >>> 32) + (sum & 0xFFFF_FFFFL);
    sum = (sum >>> 32) + (sum & 0xFFFF_FFFFL);
    int folded = (int) ((sum >>> 16) + (sum & 0xFFFF));
    folded = (folded >>> 16) + (folded & 0xFFFF);
    return (folded >>> 16) + (folded & 0xFFFF);
  }

  /**
   * The checksum field for a running sum.
   *
   * @param sum the running sum of the data with the field as 0
   * @return 0..0xFFFF; UDP callers send 0 as 0xFFFF (RFC 768)
   */
  public static int finish(long sum) {
    return ~fold(sum) & 0xFFFF;
  }

  /**
   * Replaces one 16-bit word in a checksum without summing the packet (RFC 1624, section 3, eqn. 3).
   *
   * @param checksum value from the header, 0..0xFFFF
   * @param oldWord the word as it was, 0..0xFFFF
   * @param newWord the word as it becomes, 0..0xFFFF
   * @return the new value, 0..0xFFFF; UDP callers map 0 to 0xFFFF (RFC 768)
   */
  public static int replace(int checksum, int oldWord, int newWord) {
    return finish((~checksum & 0xFFFFL) + (~oldWord & 0xFFFFL) + newWord);
  }

  /**
   * The running sum of the IPv4 pseudo-header (RFC 793, section 3.1).
   *
   * @param source 32 bits
   * @param destination 32 bits
   * @param protocol 0..255
   * @param length of transport header and data in bytes
   * @return a running sum
   */
  public static long pseudoHeader4(int source, int destination, int protocol, int length) {
    return (source & 0xFFFF_FFFFL) + (destination & 0xFFFF_FFFFL) + protocol + length;
  }

  /**
   * The running sum of the IPv6 pseudo-header (RFC 8200, section 8.1).
   *
   * @param buffer holds the packet
   * @param ip index of the fixed header, whose addresses are summed
   * @param protocol the upper layer's next-header number
   * @param length of upper-layer header and data in bytes
   * @return a running sum
   */
  public static long pseudoHeader6(ByteBuf buffer, int ip, int protocol, int length) {
    return sum(buffer, ip + Ipv6Header.SOURCE_OFFSET, 32, (long) protocol + length);
  }
}

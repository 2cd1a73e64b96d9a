package io.lb4j.frame;

/**
 * What a frame carries beside its bytes, packed into a {@code long} that travels from port to port. Rewriters honour
 * the marks; a port that cannot carry one says so in its capabilities. 0 is an ordinary frame.
 *
 * <pre>
 *   bit   0        checksum partial: the transport checksum holds the folded pseudo-header sum only
 *   bit   1        GSO: a super-frame to be cut into segments
 *   bit   2        VLAN: the 802.1Q tag was taken out of the bytes
 *   bit   3        truncated: fewer bytes were captured than the wire had
 *   bits  8-15     GSO type, as in virtio_net_hdr
 *   bits 16-31     GSO segment size, bytes of payload
 *   bits 32-47     VLAN tag control information
 * </pre>
 */
public final class FrameMarks {
  /** An ordinary frame. */
  public static final long NONE = 0;

  /** The transport checksum is unfinished. */
  public static final long CHECKSUM_PARTIAL = 1;

  /** The frame is a super-frame. */
  public static final long GSO = 1 << 1;

  /** The VLAN tag travels beside the bytes. */
  public static final long VLAN = 1 << 2;

  /** The frame's end is missing. */
  public static final long TRUNCATED = 1 << 3;

  private static final int GSO_TYPE_SHIFT = 8;
  private static final int GSO_SIZE_SHIFT = 16;
  private static final int VLAN_TCI_SHIFT = 32;

  private FrameMarks() {}

  /**
   * Adds the mark of a super-frame.
   *
   * @param marks the marks so far
   * @param type as in virtio_net_hdr, 0..255
   * @param segmentSize payload bytes per segment, 1..65535
   * @return the marks with it
   */
  public static long withGso(long marks, int type, int segmentSize) {
    return marks | GSO | (type & 0xFFL) << GSO_TYPE_SHIFT | (segmentSize & 0xFFFFL) << GSO_SIZE_SHIFT;
  }

  /**
   * Adds the mark of a VLAN tag taken out of the bytes.
   *
   * @param marks the marks so far
   * @param tagControlInformation 16 bits
   * @return the marks with it
   */
  public static long withVlan(long marks, int tagControlInformation) {
    return marks | VLAN | (tagControlInformation & 0xFFFFL) << VLAN_TCI_SHIFT;
  }

  /**
   * The VLAN tag beside the bytes alone: the marks of a whole frame that goes the same way, as an answer does.
   *
   * @param marks the marks
   * @return marks with at most {@link #VLAN}
   */
  public static long tagOf(long marks) {
    return (marks & VLAN) == 0 ? NONE : withVlan(NONE, vlanTci(marks));
  }

  /**
   * The type of a super-frame.
   *
   * @param marks the marks
   * @return 0..255
   */
  public static int gsoType(long marks) {
    return (int) (marks >>> GSO_TYPE_SHIFT) & 0xFF;
  }

  /**
   * The segment size of a super-frame.
   *
   * @param marks the marks
   * @return payload bytes per segment, 0..65535
   */
  public static int gsoSize(long marks) {
    return (int) (marks >>> GSO_SIZE_SHIFT) & 0xFFFF;
  }

  /**
   * The VLAN tag beside the bytes.
   *
   * @param marks the marks
   * @return tag control information, 16 bits
   */
  public static int vlanTci(long marks) {
    return (int) (marks >>> VLAN_TCI_SHIFT) & 0xFFFF;
  }
}

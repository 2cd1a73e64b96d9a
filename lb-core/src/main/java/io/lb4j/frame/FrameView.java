package io.lb4j.frame;

import io.lb4j.wire.DirectMemory;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;

/**
 * One frame of a batch: its bytes, what the parser found, and how it ended. Owned by one worker and used
 * again for every burst; nothing is allocated per frame. The memory is borrowed: it belongs to whoever set it and is
 * valid until the burst ends. Offsets are indices into {@link #buffer()}, lengths are bytes.
 */
public final class FrameView extends FrameBytes {
  // beside the bytes
  long marks;
  int ingress;

  // what the parser found
  FrameKind kind;
  boolean usual; // read by UsualFrames: in memory with an address, whole, no tag beside it
  boolean v6;
  int network; // index of the IP header or the ARP packet
  int networkEnd; // index after the last byte of the IP packet; Ethernet padding lies beyond
  int transport; // index of the transport header
  int protocol;
  long sourceHigh;
  long sourceLow;
  long destinationHigh;
  long destinationLow;
  int ports; // source << 16 | destination
  int tcpFlags;
  int tcpSequence;
  int payloadLength; // bytes after the transport header; for a first fragment those of the fragment
  int identification;
  boolean fragment;
  boolean again; // parsed after a rewrite of ours
  int fragmentHeader; // IPv6 only
  long knownIdentification = -1; // what the datagram's identification became before
  int icmpType;
  int icmpCode;

  // how it ended
  Verdict verdict;
  int egress;
  int binding;
  int hash;
  long flow;
  long tag;

  /** An empty view. */
  public FrameView() {}

  /**
   * Points the view at a frame. The memory stays the caller's.
   *
   * @param buffer holds the frame; not a composite buffer
   * @param start index of the frame's first byte
   * @param length of the frame without its check sequence
   * @param marks what travels beside the bytes, see {@link FrameMarks}
   * @param ingress index of the interface it came from
   * @throws IndexOutOfBoundsException when the frame is not inside the buffer
   * @throws IllegalArgumentException when the buffer is a composite one
   */
  public void wrap(ByteBuf buffer, int start, int length, long marks, int ingress) {
    if ((start | length) < 0 || start > buffer.capacity() - length) {
      throw new IndexOutOfBoundsException(length + " bytes at " + start + " of " + buffer.capacity());
    }
    this.buffer = buffer;
    this.address = DirectMemory.addressOf(buffer);
    this.start = start;
    this.length = length;
    this.marks = marks;
    this.ingress = ingress;
    this.again = false;
    this.knownIdentification = -1;
    this.verdict = null;
    this.egress = -1;
    this.binding = 0;
  }

  /**
   * Ends the frame.
   *
   * @param verdict how
   * @return the verdict, for the caller to return
   */
  public Verdict end(Verdict verdict) {
    this.verdict = verdict;
    return verdict;
  }

  /**
   * Ends the frame with {@link Verdict#FORWARD}.
   *
   * @param link the interface to send it on
   * @param server its binding
   */
  public void forward(int link, int server) {
    this.egress = link;
    this.binding = server;
    this.verdict = Verdict.FORWARD;
  }

  /**
   * Whether the frame is one of those that nearly all are: untagged, a whole segment or datagram of IPv4 without
   * options or IPv6 without extension headers, with no mark but {@link FrameMarks#CHECKSUM_PARTIAL} and
   * {@link FrameMarks#GSO}, in memory that is reached by address.
   *
   * @return false for all others
   */
  public boolean isUsual() {
    return usual;
  }

  /**
   * The address of a frame that {@linkplain #isUsual is usual}, for {@link DirectMemory}.
   *
   * @return of its first byte
   */
  public long usualAddress() {
    assert usual;
    return DirectMemory.base(address + start);
  }

  /**
   * The first eight bytes of a frame that {@linkplain #isUsual is usual}.
   *
   * @return the destination MAC address and the first two bytes of the source
   */
  public long usualHead() {
    assert usual && holds(start, 8);
    return DirectMemory.getLong(DirectMemory.base(address + start));
  }

  /**
   * Writes both MAC addresses of a frame that {@linkplain #isUsual is usual}.
   *
   * @param destination 48 bits
   * @param source 48 bits
   */
  public void setUsualMacs(long destination, long source) {
    assert usual && holds(start, 12);
    long frame = DirectMemory.base(address + start);
    DirectMemory.setLong(frame, destination << 16 | source >>> 32);
    DirectMemory.setInt(frame + 8, (int) source);
  }

  /**
   * What travels beside the bytes.
   *
   * @return see {@link FrameMarks}
   */
  public long marks() {
    return marks;
  }

  /**
   * Replaces the marks, for a rewriter that finished what a mark stood for.
   *
   * @param marks see {@link FrameMarks}
   */
  public void setMarks(long marks) {
    this.marks = marks;
  }

  /**
   * The interface the frame came from.
   *
   * @return index of the interface
   */
  public int ingress() {
    return ingress;
  }

  /**
   * What the parser found.
   *
   * @return the kind
   */
  public FrameKind kind() {
    return kind;
  }

  /**
   * Whether the packet is IPv6.
   *
   * @return false for IPv4 and ARP
   */
  public boolean isV6() {
    return v6;
  }

  /**
   * Index of the IP header or the ARP packet, behind VLAN tags.
   *
   * @return an index into {@link #buffer()}
   */
  public int network() {
    return network;
  }

  /**
   * Index after the IP packet's last byte; Ethernet padding may follow.
   *
   * @return an index into {@link #buffer()}
   */
  public int networkEnd() {
    return networkEnd;
  }

  /**
   * Index of the transport or ICMP header, behind options and extension headers.
   *
   * @return an index into {@link #buffer()}
   */
  public int transport() {
    return transport;
  }

  /**
   * The upper protocol, behind extension headers.
   *
   * @return 0..255
   */
  public int protocol() {
    return protocol;
  }

  /**
   * The source's first 64 bits.
   *
   * @return 0 for IPv4
   */
  public long sourceHigh() {
    return sourceHigh;
  }

  /**
   * The source's last 64 bits, or the IPv4 source.
   *
   * @return for IPv4 0..2^32-1
   */
  public long sourceLow() {
    return sourceLow;
  }

  /**
   * The destination's first 64 bits.
   *
   * @return 0 for IPv4
   */
  public long destinationHigh() {
    return destinationHigh;
  }

  /**
   * The destination's last 64 bits, or the IPv4 destination.
   *
   * @return for IPv4 0..2^32-1
   */
  public long destinationLow() {
    return destinationLow;
  }

  /**
   * Both ports as they stand on the wire.
   *
   * @return source in the upper, destination in the lower 16 bits
   */
  public int ports() {
    return ports;
  }

  /**
   * The source port.
   *
   * @return 0..65535
   */
  public int sourcePort() {
    return ports >>> 16;
  }

  /**
   * The destination port.
   *
   * @return 0..65535
   */
  public int destinationPort() {
    return ports & 0xFFFF;
  }

  /**
   * The TCP flags, as in {@link TcpHeader}.
   *
   * @return 8 bits; 0 for other protocols
   */
  public int tcpFlags() {
    return tcpFlags;
  }

  /**
   * The TCP sequence number.
   *
   * @return 32 bits
   */
  public int tcpSequence() {
    return tcpSequence;
  }

  /**
   * The TCP acknowledgment number, read from the frame.
   *
   * @return 32 bits, of no meaning without the flag ACK
   */
  public int tcpAcknowledgment() {
    return getInt(transport + TcpHeader.ACKNOWLEDGMENT_OFFSET);
  }

  /**
   * The sequence number after this segment: payload, SYN and FIN counted (RFC 9293, section 3.4).
   *
   * @return 32 bits
   */
  public int tcpNextSequence() {
    int syn = tcpFlags >>> 1 & 1;
    int fin = tcpFlags & 1;
    return tcpSequence + payloadLength + syn + fin;
  }

  /**
   * Bytes after the transport header.
   *
   * @return 0 or more
   */
  public int payloadLength() {
    return payloadLength;
  }

  /**
   * The identification that the fragments of one datagram share.
   *
   * @return 16 bits for IPv4, 32 for IPv6
   */
  public int identification() {
    return identification;
  }

  /**
   * Whether the packet walks for the second time, rewritten by the balancer.
   *
   * @return true after {@link FrameParser#parseAgain}
   */
  public boolean isAgain() {
    return again;
  }

  /**
   * Whether the packet is a fragment, first or later.
   *
   * @return false for whole packets, an atomic fragment (RFC 6946) included
   */
  public boolean isFragment() {
    return fragment;
  }

  /**
   * What the identification of this fragment's datagram became when its first fragment was here before.
   *
   * @return 0..2^32-1, or -1 for a datagram that was not translated yet
   */
  public long knownIdentification() {
    return knownIdentification;
  }

  /**
   * Tells what the identification of this fragment's datagram became before.
   *
   * @param identification 0..2^32-1
   */
  public void setKnownIdentification(long identification) {
    this.knownIdentification = identification;
  }

  /**
   * Index of the IPv6 fragment header.
   *
   * @return an index into {@link #buffer()}; of no meaning for whole packets and IPv4
   */
  public int fragmentHeader() {
    return fragmentHeader;
  }

  /**
   * The ICMP type.
   *
   * @return 0..255
   */
  public int icmpType() {
    return icmpType;
  }

  /**
   * The ICMP code.
   *
   * @return 0..255
   */
  public int icmpCode() {
    return icmpCode;
  }

  /**
   * How the frame ended.
   *
   * @return the verdict; null while it is on its way
   */
  public Verdict verdict() {
    return verdict;
  }

  /**
   * The interface the frame leaves by.
   *
   * @return index of the interface, -1 when this frame itself is not to be sent
   */
  public int egress() {
    return egress;
  }

  /**
   * Chooses the interface the frame leaves by.
   *
   * @param egress index of the interface
   */
  public void setEgress(int egress) {
    this.egress = egress;
  }

  /**
   * The service and real server the frame was bound to.
   *
   * @return a binding id; 0 for none
   */
  public int binding() {
    return binding;
  }

  /**
   * Records the service and real server the frame is bound to.
   *
   * @param binding a binding id
   */
  public void setBinding(int binding) {
    this.binding = binding;
  }

  /**
   * What the caller calls this frame; it comes back with the verdict of a frame that was held.
   *
   * @return the caller's own number
   */
  public long tag() {
    return tag;
  }

  /**
   * Gives the frame a number of the caller's own.
   *
   * @param tag any number
   */
  public void setTag(long tag) {
    this.tag = tag;
  }

  /**
   * The flow table's hash of this frame's flow.
   *
   * @return 32 bits, set by the pipeline
   */
  public int hash() {
    return hash;
  }

  /**
   * Keeps the flow table's hash of this frame's flow.
   *
   * @param hash 32 bits
   */
  public void setHash(int hash) {
    this.hash = hash;
  }

  /**
   * Where the worker has found the frame's flow, between the steps of a batch.
   *
   * @return what {@link #setFlow} was given
   */
  public long flow() {
    return flow;
  }

  /**
   * Keeps where the frame's flow is.
   *
   * @param flow a place in the flow table
   */
  public void setFlow(long flow) {
    this.flow = flow;
  }
}

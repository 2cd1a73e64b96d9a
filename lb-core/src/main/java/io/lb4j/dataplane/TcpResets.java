package io.lb4j.dataplane;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.InternetChecksum;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * Resets in answer to segments of connections that are not to go on, as a host without the connection sends them (RFC
 * 9293, section 3.10.7.1): the sender believes them, because their numbers are its own. Owned by one worker.
 */
final class TcpResets {
  private static final int TIME_TO_LIVE = 64;

  private final ByteBufAllocator allocator;

  TcpResets(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  /** A reset is never answered with a reset. */
  static boolean mayAnswer(FrameView view) {
    return view.protocol() == IpProtocol.TCP && (view.tcpFlags() & TcpHeader.RST) == 0;
  }

  /**
   * The reset for a segment, from its destination to its source, by the way it came.
   *
   * @return a new frame, the caller's
   */
  ByteBuf answer(FrameView view, long ownMac) {
    int network = view.network() - view.start();
    int transport = network + (view.isV6() ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH);
    int length = Math.max(transport + TcpHeader.MINIMUM_LENGTH, EthernetHeader.MINIMUM_FRAME_LENGTH);
    ByteBuf reset = allocator.buffer(length, length).writeZero(length);
    reset.setBytes(0, view.buffer(), view.start(), network);
    EthernetHeader.setAddresses(reset, 0, EthernetHeader.source(view.buffer(), view.start()), ownMac);
    long pseudo = writeNetwork(reset, network, view);
    writeTransport(reset, transport, view);
    long sum = InternetChecksum.sum(reset, transport, TcpHeader.MINIMUM_LENGTH, pseudo);
    reset.setShort(transport + TcpHeader.CHECKSUM_OFFSET, InternetChecksum.finish(sum));
    return reset;
  }

  private static long writeNetwork(ByteBuf reset, int network, FrameView view) {
    int length = TcpHeader.MINIMUM_LENGTH;
    if (view.isV6()) {
      Ipv6Header.write(
          reset,
          network,
          length,
          IpProtocol.TCP,
          TIME_TO_LIVE,
          view.destinationHigh(),
          view.destinationLow(),
          view.sourceHigh(),
          view.sourceLow());
      return InternetChecksum.pseudoHeader6(reset, network, IpProtocol.TCP, length);
    }
    Ipv4Header.write(
        reset,
        network,
        Ipv4Header.MINIMUM_LENGTH + length,
        TIME_TO_LIVE,
        IpProtocol.TCP,
        (int) view.destinationLow(),
        (int) view.sourceLow());
    return InternetChecksum.pseudoHeader4(
        (int) view.destinationLow(), (int) view.sourceLow(), IpProtocol.TCP, length);
  }

  /**
   * {@code <SEQ=SEG.ACK><CTL=RST>}, or {@code <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>} where nothing is acknowledged.
   */
  private static void writeTransport(ByteBuf reset, int transport, FrameView view) {
    boolean acknowledges = (view.tcpFlags() & TcpHeader.ACK) != 0;
    int acknowledgment = view.buffer().getInt(view.transport() + TcpHeader.ACKNOWLEDGMENT_OFFSET);
    reset.setInt(transport, Integer.rotateLeft(view.ports(), 16));
    reset.setInt(transport + TcpHeader.SEQUENCE_OFFSET, acknowledges ? acknowledgment : 0);
    reset.setInt(transport + TcpHeader.ACKNOWLEDGMENT_OFFSET, acknowledges ? 0 : view.tcpNextSequence());
    int flags = acknowledges ? TcpHeader.RST : TcpHeader.RST | TcpHeader.ACK;
    reset.setShort(transport + TcpHeader.DATA_OFFSET_OFFSET, TcpHeader.MINIMUM_LENGTH / 4 << 12 | flags);
  }
}

package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowRecord;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.EthernetHeader;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.Ipv6Header;
import io.lb4j.wire.TcpHeader;
import io.lb4j.wire.UdpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * A packet that the source of a saved flow would send, for steering to look at: whatever decides where frames go
 * decides where their flow belongs. Owned by the thread that restores; nothing is sent.
 */
final class RecordFrame {
  private static final int TIME_TO_LIVE = 64;
  private static final int LONGEST = EthernetHeader.LENGTH + Ipv6Header.LENGTH + TcpHeader.MINIMUM_LENGTH;

  private final ByteBuf frame = Unpooled.buffer(LONGEST, LONGEST);
  private final FrameView view = new FrameView();

  /** The packet, parsed; its kind tells whether it can be one. */
  FrameView of(FlowRecord flow) {
    boolean v6 = flow.source().isV6();
    frame.setZero(0, LONGEST);
    EthernetHeader.setEtherType(frame, 0, v6 ? EthernetHeader.IPV6 : EthernetHeader.IPV4);
    int ip = EthernetHeader.LENGTH;
    int header = v6 ? Ipv6Header.LENGTH : Ipv4Header.MINIMUM_LENGTH;
    int length = writeTransport(ip + header, flow);
    if (v6) {
      writeV6(ip, length, flow.protocol(), flow.source(), flow.destination());
    } else {
      Ipv4Header.write(
          frame,
          ip,
          header + length,
          TIME_TO_LIVE,
          flow.protocol(),
          (int) flow.source().low(),
          (int) flow.destination().low());
    }
    view.wrap(frame, 0, ip + header + length, FrameMarks.NONE, 0);
    FrameParser.parse(view);
    return view;
  }

  /** Whether the last packet is one that a flow of its protocol can have. */
  boolean isPossible(FlowRecord flow) {
    return flow.source().isV6() == flow.destination().isV6()
        && view.kind() == (isQuery(flow) ? FrameKind.ICMP : FrameKind.SEGMENT);
  }

  static boolean isQuery(FlowRecord flow) {
    return flow.protocol() != IpProtocol.TCP && flow.protocol() != IpProtocol.UDP;
  }

  private void writeV6(int ip, int length, int protocol, IpAddress from, IpAddress to) {
    Ipv6Header.write(frame, ip, length, protocol, TIME_TO_LIVE, from.high(), from.low(), to.high(), to.low());
  }

  private int writeTransport(int at, FlowRecord flow) {
    if (flow.protocol() == IpProtocol.TCP) {
      frame.setInt(at, flow.sourcePort() << 16 | flow.destinationPort());
      frame.setShort(at + TcpHeader.DATA_OFFSET_OFFSET, TcpHeader.MINIMUM_LENGTH / 4 << 12 | TcpHeader.ACK);
      return TcpHeader.MINIMUM_LENGTH;
    }
    if (flow.protocol() == IpProtocol.UDP) {
      frame.setInt(at, flow.sourcePort() << 16 | flow.destinationPort());
      frame.setShort(at + UdpHeader.LENGTH_OFFSET, UdpHeader.LENGTH);
      return UdpHeader.LENGTH;
    }
    boolean v6 = flow.source().isV6();
    frame.setByte(at, v6 ? IcmpHeader.V6_ECHO_REQUEST : IcmpHeader.ECHO_REQUEST);
    frame.setShort(at + IcmpHeader.IDENTIFIER_OFFSET, flow.sourcePort());
    return IcmpHeader.LENGTH;
  }
}

package io.lb4j.gateway;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.List;

/** A fragment has no transport header to segment by, whatever a port says of it. */
class MarkedFragmentTest {
  @EveryTransport
  void shouldRefuseALaterFragmentMarkedAsASuperFrame(boolean v6, boolean tcp) {
    try (Network net = Network.nat(v6)) {
      FrameBuilder whole = Network.transport(net.from(1, net.peer(1)), tcp, 6001, 80, TcpHeader.SYN);
      List<ByteBuf> fragments = Frames.fragments(whole.payload(new byte[8]).build(), 79, tcp ? 24 : 8);
      net.process(Network.INSIDE, fragments.get(0)).forwarded();
      long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, 1, 1000);
      ByteBuf exact = fragments.get(1).capacity(fragments.get(1).writerIndex());
      net.process(Network.INSIDE, exact, marks, 0).droppedSilently(Verdict.GSO_NOT_CARRIED);
    }
  }
}

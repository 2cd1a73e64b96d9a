package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.schedule.Schedulers;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Flows that begin in one batch are spread as if they began one after another: each choice knows the ones before. */
class NewFlowsInOneBatchTest {
  private static final int SERVERS = 3;

  private static Lan lan(String scheduler, boolean v6) {
    return new Lan(
        v6,
        b -> b.service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.named(scheduler).orElseThrow()), v6, SERVERS)));
  }

  /** Begins flows from consecutive ports; how many each server gets. */
  private static Map<Integer, Integer> begin(Lan lan, int firstPort, int flows) {
    FrameBatch batch = new FrameBatch();
    List<ByteBuf> frames = new ArrayList<>();
    for (int n = 0; n < flows; n++) {
      ByteBuf syn = lan.frame(1).tcp(firstPort + n, 80, TcpHeader.SYN).build();
      frames.add(Unpooled.directBuffer(64).writeBytes(syn));
      batch.add(frames.get(n), 0, frames.get(n).readableBytes(), FrameMarks.NONE, 0);
    }
    lan.path.process(batch, lan.nowNs, lan::transmit);
    Map<Integer, Integer> flowsByServer = new TreeMap<>();
    for (int n = 0; n < flows; n++) {
      assertThat(batch.get(n).verdict()).isEqualTo(Verdict.FORWARD);
      flowsByServer.merge(batch.get(n).binding(), 1, Integer::sum);
    }
    frames.forEach(ByteBuf::release);
    return flowsByServer;
  }

  @ParameterizedTest
  @CsvSource({"lc,false", "lc,true", "wlc,false", "sed,false", "rr,false", "rr,true"})
  void shouldSpreadFlowsOfOneBatchEvenly(String scheduler, boolean v6) {
    try (Lan lan = lan(scheduler, v6)) {
      assertThat(begin(lan, 4000, 30).values()).containsExactly(10, 10, 10);
    }
  }

  @ParameterizedTest
  @CsvSource({"lc,false", "lc,true", "wlc,false", "sed,false"})
  void shouldFillUpTheServersThatHaveFewestFlows(String scheduler, boolean v6) {
    try (Lan lan = lan(scheduler, v6)) {
      begin(lan, 4000, 15);
      String first = lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK));
      for (int port = 4001; port < 4015; port++) {
        if (!lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.ACK)).equals(first)) {
          lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.FIN | TcpHeader.ACK).numbers(1, 1)); // no longer active
        }
      }
      assertThat(begin(lan, 5000, 25).values()).containsExactlyInAnyOrder(5, 10, 10);
    }
  }
}

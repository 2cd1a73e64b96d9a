package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualServiceBuilder;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers come and go while clients send, and no datagram is lost: whom to send to is told with the next burst. */
@Timeout(60)
class NextHopChangeTest {
  private static final int ROUNDS = 300;

  /** A server whose MAC address the network tells, as it does everywhere but in tests, and one that is configured. */
  private static VirtualServiceBuilder both(boolean v6) {
    return onlyConfigured(v6).realServer("s4", NeighborScenarioTest.peer(v6));
  }

  private static VirtualServiceBuilder onlyConfigured(boolean v6) {
    return Lan.dns(v6).realServer("s1", Lan.server(v6, 1));
  }

  private static Verdict send(Lan lan, int port) {
    lan.sent.clear();
    ByteBuf datagram = lan.frame(1).udp(port, 53).build();
    try {
      lan.nowNs += 1_000;
      return lan.process(datagram, FrameMarks.NONE, 0);
    } finally {
      datagram.release();
    }
  }

  /** A port of a client whose datagrams go to the server that the network told of. */
  private static int portOf(Lan lan, int from) {
    int port = from;
    Verdict verdict = send(lan, port);
    while (!lan.lastServer().equals("s4")) {
      verdict = send(lan, ++port);
    }
    if (verdict == Verdict.HOLD) {
      lan.process(NeighborScenarioTest.reply(lan), FrameMarks.NONE, 0);
      assertThat(send(lan, port)).isEqualTo(Verdict.FORWARD);
    }
    return port;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForwardEveryDatagramWhileTheirServerGoes(boolean v6) throws InterruptedException {
    try (Lan lan = new Lan(v6, b -> b.service(both(v6)))) {
      int port = 1024;
      for (int round = 0; round < ROUNDS; round++) {
        port = portOf(lan, port + 1);
        CountDownLatch sending = new CountDownLatch(1);
        Thread operator =
            new Thread(
                () -> {
                  await(sending);
                  lan.balancer.replaceService(onlyConfigured(v6).build());
                });
        operator.start();
        String server = "s4";
        while (operator.isAlive() || server.equals("s4")) {
          assertThat(send(lan, port)).as("round %d", round).isEqualTo(Verdict.FORWARD);
          server = lan.lastServer();
          sending.countDown();
        }
        operator.join();
        lan.balancer.tickControl(lan.nowNs);
        lan.balancer.replaceService(both(v6).build());
      }
      assertThat(lan.ended).allMatch(end -> end.endsWith(" FORWARD"));
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}

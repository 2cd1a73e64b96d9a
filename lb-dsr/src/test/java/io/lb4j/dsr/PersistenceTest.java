package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PersistenceTest {
  private static Lan persistent(boolean v6, SourceIpPersistence persistence) {
    return new Lan(
        v6,
        b ->
            b.service(
                Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()).persistence(persistence), v6, 3)));
  }

  private static FrameBuilder syn(Lan lan, int client, int port) {
    return lan.frame(client).tcp(port, 80, TcpHeader.SYN);
  }

  private static FrameBuilder synFrom(Lan lan, String address, int port) {
    return FrameBuilder.from(address, lan.vip()).macs(Lan.LB_MAC, Lan.ROUTER_MAC).tcp(port, 80, TcpHeader.SYN);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepAClientOnItsServerAcrossAllItsPorts(boolean v6) {
    try (Lan lan = persistent(v6, SourceIpPersistence.create())) {
      assertThat(lan.serverOf(syn(lan, 1, 4000))).isEqualTo("s1");
      assertThat(lan.serverOf(syn(lan, 2, 4000))).isEqualTo("s2");
      for (int port = 4001; port < 4100; port++) {
        assertThat(lan.serverOf(syn(lan, 1, port))).isEqualTo("s1");
        assertThat(lan.serverOf(syn(lan, 2, port))).isEqualTo("s2");
      }
    }
  }

  /** None of them is known when the batch begins, and each is when its second connection does. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepAClientOnItsServerWhoseConnectionsBeginInOneBatch(boolean v6) {
    try (Lan lan = persistent(v6, SourceIpPersistence.create())) {
      FrameBatch batch = new FrameBatch();
      List<ByteBuf> frames = new ArrayList<>();
      for (int n = 0; n < FrameBatch.CAPACITY; n++) {
        ByteBuf frame = Unpooled.directBuffer(64).writeBytes(syn(lan, 1 + n % 8, 4000 + n).build());
        frames.add(frame);
        batch.add(frame, 0, frame.readableBytes(), FrameMarks.NONE, 0);
      }
      lan.path.process(batch, lan.nowNs, lan::transmit);
      for (int n = 0; n < FrameBatch.CAPACITY; n++) {
        assertThat(batch.get(n).verdict()).isEqualTo(Verdict.FORWARD);
        assertThat(batch.get(n).binding()).as("frame %d", n).isEqualTo(batch.get(n % 8).binding());
      }
      assertThat(IntStream.range(0, 8).map(n -> batch.get(n).binding()).distinct().count()).isEqualTo(3);
      frames.forEach(ByteBuf::release);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForgetAClientExactlyWhenItsTimeoutIsOver(boolean v6) {
    try (Lan lan = persistent(v6, SourceIpPersistence.timeout(Duration.ofSeconds(10)))) {
      lan.serverOf(syn(lan, 1, 4000));
      lan.nowNs += 9_999_999_999L;
      assertThat(lan.serverOf(syn(lan, 1, 4001))).as("a nanosecond before").isEqualTo("s1");
      lan.nowNs += 9_999_999_999L;
      assertThat(lan.serverOf(syn(lan, 1, 4002))).as("the time-out slides").isEqualTo("s1");
      lan.nowNs += 10_000_000_000L;
      assertThat(lan.serverOf(syn(lan, 1, 4003))).as("when it is over").isEqualTo("s2");
      assertThat(lan.serverOf(syn(lan, 1, 4004))).isEqualTo("s2");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "false,198.51.100.1,198.51.100.254,203.0.113.1",
    "true,2001:db8:c:1::1,2001:db8:c:1:ffff:ffff:ffff:ffff,2001:db8:c:2::1"
  })
  void shouldTakeANetworkOfClientsAsOne(boolean v6, String one, String same, String other) {
    try (Lan lan = persistent(v6, SourceIpPersistence.create().prefixLengths(24, 64))) {
      assertThat(lan.serverOf(synFrom(lan, one, 4000))).isEqualTo("s1");
      assertThat(lan.serverOf(synFrom(lan, other, 4000))).isEqualTo("s2");
      assertThat(lan.serverOf(synFrom(lan, same, 4001))).isEqualTo("s1");
      assertThat(lan.serverOf(synFrom(lan, other, 4001))).isEqualTo("s2");
    }
  }

  @ParameterizedTest
  @CsvSource({"false,offline", "true,offline", "false,remove", "true,remove"})
  void shouldPickAgainWhenTheServerIsGoneAndRememberTheNewOne(boolean v6, String how) {
    try (Lan lan = persistent(v6, SourceIpPersistence.create())) {
      assertThat(lan.serverOf(syn(lan, 1, 4000))).isEqualTo("s1");
      if (how.equals("offline")) {
        lan.balancer.service("web").realServer("s1").offline();
      } else {
        lan.balancer.service("web").removeRealServer("s1");
      }
      String next = lan.serverOf(syn(lan, 1, 4001));
      assertThat(next).isNotEqualTo("s1");
      assertThat(lan.serverOf(syn(lan, 2, 4000))).isNotIn("s1", next);
      for (int port = 4002; port < 4020; port++) {
        assertThat(lan.serverOf(syn(lan, 1, port))).isEqualTo(next);
      }
      if (how.equals("offline")) {
        lan.balancer.service("web").realServer("s1").online();
        assertThat(lan.serverOf(syn(lan, 1, 4100))).as("the entry was overwritten").isEqualTo(next);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLetKnownClientsGoOnWhileTheirServerDrains(boolean v6) {
    try (Lan lan = persistent(v6, SourceIpPersistence.create())) {
      assertThat(lan.serverOf(syn(lan, 1, 4000))).isEqualTo("s1");
      lan.balancer.service("web").realServer("s1").drain();
      assertThat(lan.serverOf(syn(lan, 1, 4001))).isEqualTo("s1");
      assertThat(lan.serverOf(syn(lan, 2, 4001))).isNotEqualTo("s1");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRememberAClientWhileOneOfItsFlowsLives(boolean v6) {
    try (Lan lan = persistent(v6, SourceIpPersistence.timeout(Duration.ofSeconds(20)))) {
      assertThat(lan.serverOf(syn(lan, 1, 4000))).isEqualTo("s1");
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("s1");
      for (int second = 0; second < 200; second++) {
        lan.after(1_000);
      }
      assertThat(lan.serverOf(syn(lan, 1, 4001))).isEqualTo("s1");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForgetAClientItsTimeoutAfterItsLastFlowEnded(boolean v6) {
    try (Lan lan = persistent(v6, SourceIpPersistence.timeout(Duration.ofSeconds(20)))) {
      lan.serverOf(syn(lan, 1, 4000));
      for (int second = 0; second < 90; second++) {
        lan.after(1_000);
      }
      assertThat(lan.balancer.statistics().flowTable().size()).isZero();
      assertThat(lan.process(syn(lan, 1, 4001))).isEqualTo(Verdict.FORWARD);
      assertThat(lan.lastServer()).isEqualTo("s2");
    }
  }

  @ParameterizedTest
  @CsvSource({"0,64,prefix4", "24,0,prefix6"})
  void shouldRefuseAPrefixThatHoldsEveryClient(int v4Length, int v6Length, String setting) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> SourceIpPersistence.create().prefixLengths(v4Length, v6Length))
        .withMessageContaining(setting)
        .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.PREFIX_ZERO));
  }
}

package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OTHER;
import static io.lb4j.neighbor.Lan.OWN;
import static io.lb4j.neighbor.Lan.OWN_TOO;
import static io.lb4j.neighbor.Lan.PEER;
import static io.lb4j.neighbor.Lan.SECOND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HeldFramesTest {
  private static final String PAYLOAD = "0800" + "45" + "80ff".repeat(40);

  private final Lan lan = Lan.quiet();
  private final List<String> ends = new ArrayList<>();
  private final FrameView view = new FrameView();
  private HeldFrames held = new HeldFrames(lan.table, lan.links, NeighborSettings.defaults(), lan.allocator);
  private final int first = lan.table.register(0, IpAddress.of("192.0.2.21"));
  private final int second = lan.table.register(1, IpAddress.of("2001:db8:2::21"));

  @AfterEach
  void release() {
    held.close();
    lan.close();
  }

  private void bounds(int perNeighbor, int frames, int bytes) {
    NeighborSettings settings =
        NeighborSettings.builder().held(perNeighbor, frames, bytes, Duration.ofSeconds(3)).build();
    held = new HeldFrames(lan.table, lan.links, settings, lan.allocator);
  }

  private Verdict hold(int link, int id, String body, long marks, int binding) {
    byte[] bytes = HexFormat.of().parseHex("ff".repeat(12) + body);
    ByteBuf frame = Unpooled.buffer().writeZero(8).writeBytes(bytes);
    view.wrap(frame, 8, bytes.length, marks, 1 - link);
    view.setBinding(binding);
    Verdict verdict = held.hold(view, link, id, lan.now, this::ended);
    frame.setZero(0, frame.capacity()); // the caller's memory is used again
    return verdict;
  }

  private Verdict hold(int id) {
    return hold(0, id, PAYLOAD, FrameMarks.NONE, 0);
  }

  private int releaseNow() {
    return held.release(lan.now, lan::transmit, this::ended);
  }

  private void ended(long tag, Verdict verdict, int ingress, int egress, int binding, int length) {
    ends.add(verdict + " " + ingress + ">" + egress + " b" + binding + " " + length);
  }

  private void learn(int id, MacAddress mac) {
    lan.table.update(lan.table.neighbor(id), NeighborState.REACHABLE, mac.value());
  }

  @Test
  void shouldSendInOrderWithBothMacAddressesAndItsMarks() {
    long marks = FrameMarks.withVlan(FrameMarks.CHECKSUM_PARTIAL, 0x8064);
    assertThat(hold(0, first, PAYLOAD + "01", marks, 7)).isEqualTo(Verdict.HOLD);
    assertThat(hold(1, second, PAYLOAD + "02", FrameMarks.NONE, 8)).isEqualTo(Verdict.HOLD);
    assertThat(hold(0, first, PAYLOAD + "03", FrameMarks.NONE, 9)).isEqualTo(Verdict.HOLD);
    assertThat(releaseNow()).isZero();

    learn(first, PEER);
    assertThat(releaseNow()).isEqualTo(2);
    learn(second, OTHER);
    assertThat(releaseNow()).isEqualTo(1);

    assertThat(lan.sent)
        .containsExactly(
            new Lan.Sent(0, 0, Wire.mac(PEER) + Wire.mac(OWN) + PAYLOAD + "01", marks),
            new Lan.Sent(0, 0, Wire.mac(PEER) + Wire.mac(OWN) + PAYLOAD + "03", FrameMarks.NONE),
            new Lan.Sent(0, 1, Wire.mac(OTHER) + Wire.mac(OWN_TOO) + PAYLOAD + "02", FrameMarks.NONE));
    assertThat(ends).containsExactly("FORWARD 1>0 b7 96", "FORWARD 1>0 b9 96", "FORWARD 0>1 b8 96");
    assertThat(held.size()).isZero();
    assertThat(held.bytes()).isZero();
  }

  @Test
  void shouldHoldThirtyTwoFramesForOneNextHop() {
    for (int i = 0; i < 32; i++) {
      assertThat(hold(first)).isEqualTo(Verdict.HOLD);
    }
    assertThat(hold(first)).isEqualTo(Verdict.NEIGHBOR_QUEUE_FULL);
    assertThat(hold(second)).isEqualTo(Verdict.HOLD);
    assertThat(held.size()).isEqualTo(33);
  }

  @Test
  void shouldBoundFramesAndBytesInAll() {
    bounds(8, 3, 1 << 20);
    for (int i = 0; i < 4; i++) {
      assertThat(hold(first)).isEqualTo(i < 3 ? Verdict.HOLD : Verdict.NEIGHBOR_QUEUE_FULL);
    }
    held.close();
    bounds(8, 256, 2 * 95 + 94);
    assertThat(hold(first)).isEqualTo(Verdict.HOLD);
    assertThat(hold(first)).isEqualTo(Verdict.HOLD);
    assertThat(hold(first)).isEqualTo(Verdict.NEIGHBOR_QUEUE_FULL);
    assertThat(held.bytes()).isEqualTo(2 * 95);
  }

  private int[] hosts(int count) {
    return IntStream.range(0, count).map(i -> lan.table.register(0, IpAddress.v4(0xC000_0230 + i))).toArray();
  }

  /** Frames for hosts that are not there wait in vain for three seconds: 90 a second of them would take all the room. */
  @Test
  void shouldMakeRoomForTheFirstFrameOfANextHop() {
    bounds(8, 3, 1 << 20);
    int[] hosts = hosts(4);
    for (int i = 0; i < 3; i++) {
      hold(0, hosts[i], PAYLOAD, FrameMarks.NONE, i);
    }
    assertThat(ends).isEmpty();
    assertThat(hold(hosts[3])).isEqualTo(Verdict.HOLD);
    assertThat(ends).containsExactly("NEIGHBOR_QUEUE_FULL 1>0 b0 95");
    assertThat(hold(hosts[3])).as("its second").isEqualTo(Verdict.NEIGHBOR_QUEUE_FULL);
    assertThat(held.size()).isEqualTo(3);
    learn(hosts[3], PEER);
    learn(hosts[1], PEER);
    assertThat(releaseNow()).isEqualTo(2);
    assertThat(lan.sent).hasSize(2);
    assertThat(ends).endsWith("FORWARD 1>0 b1 95", "FORWARD 1>0 b0 95");
    assertThat(held.received()).isOne();
    assertThat(held.bytes()).isEqualTo(95);
  }

  @Test
  void shouldGiveUpAsManyFramesAsALongerOneNeeds() {
    bounds(8, 256, 3 * 95);
    int[] hosts = hosts(5);
    for (int i = 0; i < 3; i++) {
      hold(0, hosts[i], PAYLOAD, FrameMarks.NONE, i);
    }
    assertThat(hold(0, hosts[3], PAYLOAD + "00", FrameMarks.NONE, 3)).isEqualTo(Verdict.HOLD);
    assertThat(ends).containsExactly("NEIGHBOR_QUEUE_FULL 1>0 b0 95", "NEIGHBOR_QUEUE_FULL 1>0 b1 95");
    assertThat(held.bytes()).isEqualTo(2 * 95 + 1);
    assertThat(hold(0, hosts[4], PAYLOAD + "00".repeat(200), FrameMarks.NONE, 4))
        .as("longer than all the room there is")
        .isEqualTo(Verdict.NEIGHBOR_QUEUE_FULL);
    assertThat(ends).hasSize(2);
    assertThat(held.size()).isEqualTo(2);
  }

  @Test
  void shouldHoldNothingWhenToldSo() {
    bounds(0, 0, 0);
    assertThat(hold(first)).isEqualTo(Verdict.NEIGHBOR_QUEUE_FULL);
    assertThat(releaseNow()).isZero();
  }

  @Test
  void shouldDropAfterThreeSeconds() {
    hold(first);
    lan.now += SECOND;
    hold(first);
    assertThat(held.nextDeadline(lan.now)).isEqualTo(3 * SECOND);
    lan.now = 3 * SECOND - 1;
    assertThat(releaseNow()).isZero();
    lan.now = 3 * SECOND;
    assertThat(releaseNow()).isEqualTo(1);
    lan.now = 4 * SECOND;
    assertThat(releaseNow()).isEqualTo(1);
    assertThat(ends).containsOnly("NEIGHBOR_UNREACHABLE 1>0 b0 95").hasSize(2);
    assertThat(lan.sent).isEmpty();
    assertThat(held.nextDeadline(lan.now) - lan.now).isGreaterThan(1_000_000 * SECOND);
  }

  @Test
  void shouldDropAtOnceWhenTheNextHopFails() {
    hold(first);
    assertThat(releaseNow()).isZero();
    lan.table.update(lan.table.neighbor(first), NeighborState.FAILED, 0);
    assertThat(releaseNow()).isEqualTo(1);
    assertThat(ends).containsExactly("NEIGHBOR_UNREACHABLE 1>0 b0 95");
    assertThat(hold(first)).isEqualTo(Verdict.NEIGHBOR_UNREACHABLE);
  }

  @Test
  void shouldDropWhatWaitsForAForgottenNextHop() {
    hold(first);
    lan.table.unregister(first);
    learn(lan.table.register(0, IpAddress.of("192.0.2.99")), OTHER);
    assertThat(releaseNow()).isEqualTo(1);
    assertThat(lan.sent).isEmpty();
    assertThat(ends).containsExactly("NEIGHBOR_UNREACHABLE 1>0 b0 95");
  }

  @Test
  void shouldSendAFrameThatCameJustAfterTheAnswer() {
    hold(second);
    learn(first, PEER);
    assertThat(releaseNow()).isZero();
    assertThat(hold(first)).isEqualTo(Verdict.HOLD);
    assertThat(releaseNow()).isEqualTo(1);
    assertThat(lan.sent).hasSize(1);
  }

  @Test
  void shouldEndAllWhenClosed() {
    hold(first);
    hold(second);
    held.end(Verdict.CLOSED_WHILE_HELD, this::ended);
    assertThat(ends).containsOnly("CLOSED_WHILE_HELD 1>0 b0 95").hasSize(2);
    assertThat(held.size()).isZero();
  }

  @Test
  void shouldKeepTheLawOfHeldFrames() {
    int received = 0;
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
      received++;
      refused += hold(i % 3 == 0 ? second : first) == Verdict.HOLD ? 0 : 1;
      if (i == 500) {
        learn(first, PEER);
      }
      lan.now += SECOND / 10;
      releaseNow();
      assertThat(received).isEqualTo(refused + ends.size() + held.size());
    }
  }

  @Test
  void shouldBelongToOneThread() throws InterruptedException {
    hold(first);
    List<Throwable> seen = new ArrayList<>();
    Thread stranger = new Thread(() -> assertThatThrownBy(() -> hold(first)).isInstanceOf(AssertionError.class));
    stranger.setUncaughtExceptionHandler((thread, e) -> seen.add(e));
    stranger.start();
    stranger.join();
    assertThat(seen).isEmpty();
  }

  @Test
  void shouldCarryTheFirstFramesThroughAWholeResolution() {
    lan.layer.solicit(first);
    hold(first);
    lan.run(1.5);
    hold(first);
    lan.receive(Wire.reply(PEER, "192.0.2.22", OWN, "192.0.2.5")); // another address: nothing yet
    assertThat(releaseNow()).isZero();
    lan.receive(Wire.reply(PEER, "192.0.2.21", OWN, "192.0.2.5"));
    lan.takeSent();
    assertThat(releaseNow()).isEqualTo(2);
    assertThat(lan.takeSent()).allMatch(frame -> frame.equals(Wire.mac(PEER) + Wire.mac(OWN) + PAYLOAD));
  }
}

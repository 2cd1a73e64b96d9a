package io.lb4j.pcap.packet;

import static io.lb4j.pcap.VethPair.must;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.port.PortStatus;
import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several queues share what arrives: each frame once, and all of a flow, both its directions, in one of them. */
@Tag("root")
@Timeout(60)
class PacketPortQueuesTest extends PacketPortFixture {
  private static final int QUEUES = 4;
  private static final int FLOWS = 256;
  private static final int ROUNDS = 4;
  private static final int[] PROTOCOLS = {6, 17, 132};
  private static final int TCPV4 = 1; // as in virtio_net_hdr

  /** Which queue each frame came by, in the order of its queue; frames have their number in their last two bytes. */
  private final Map<Integer, List<Integer>> queuesOfNumber = new HashMap<>();

  private PacketPort left;
  private PacketPort right;
  private int sent;
  private int received;

  private void open(Latency latency, int queues) {
    left = open(PacketPort.builder(pair.left).latency(latency).queues(queues));
    right = open(pair.right, latency);
  }

  private void send(ByteBuf frame, int number) {
    frame.setShort(frame.readableBytes() - 2, number);
    send(frame, FrameMarks.NONE);
    frame.release();
  }

  private void send(ByteBuf frame, long marks) {
    assertThat(right.queue(0).transmit(frame, 0, frame.readableBytes(), marks)).isTrue();
    sent += 1 - right.queue(0).flush();
  }

  private void receiveSent() {
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (received < sent && System.nanoTime() - deadlineNs < 0) {
      for (int queue = 0; queue < left.queues(); queue++) {
        received += take(queue);
      }
    }
    assertThat(received).isEqualTo(sent);
    assertThat(left.counters().receivedFrames()).as("over all queues").isEqualTo(sent);
    assertThat(left.counters().missedFrames()).isZero();
  }

  private int take(int queue) {
    FrameBatch batch = new FrameBatch();
    int got = left.queue(queue).receive(batch, queue);
    for (int i = 0; i < got; i++) {
      FrameView view = batch.get(i);
      int number = view.buffer().getUnsignedShort(view.start() + view.length() - 2);
      queuesOfNumber.computeIfAbsent(number, any -> new ArrayList<>()).add(queue);
    }
    left.queue(queue).release();
    return got;
  }

  private Set<Integer> queuesUsed() {
    Set<Integer> used = new HashSet<>();
    queuesOfNumber.values().forEach(used::addAll);
    return used;
  }

  @ParameterizedTest
  @EnumSource(value = Latency.class, names = {"BULK", "LOW"})
  void shouldKeepAFlowOnOneQueueAndUseThemAll(Latency latency) {
    open(latency, QUEUES);
    for (int round = 0; round < ROUNDS; round++) {
      for (int flow = 0; flow < FLOWS; flow++) {
        send(frameOf(flow, (round & 1) == 0), flow);
      }
    }
    receiveSent();
    assertThat(queuesOfNumber)
        .hasSize(FLOWS)
        .allSatisfy((flow, queues) -> assertThat(queues).hasSize(ROUNDS).containsOnly(queues.get(0)));
    assertThat(queuesUsed()).hasSize(QUEUES);
  }

  private static ByteBuf frameOf(int flow, boolean forth) {
    boolean v6 = (flow & 1) != 0;
    String client = (v6 ? "2001:db8::" : "198.51.100.") + (1 + flow % 32);
    String service = v6 ? "2001:db8:1::100" : "192.0.2.100";
    FrameBuilder frame = forth ? FrameBuilder.from(client, service) : FrameBuilder.from(service, client);
    return frame.protocol(PROTOCOLS[flow % 3]).payload(withPorts(forth ? flow : 53, forth ? 53 : flow)).build();
  }

  /** What begins with two ports, as all three protocols do. */
  private static byte[] withPorts(int from, int to) {
    byte[] payload = new byte[40];
    payload[0] = (byte) (from >>> 8);
    payload[1] = (byte) from;
    payload[2] = (byte) (to >>> 8);
    payload[3] = (byte) to;
    return payload;
  }

  /** Ports alone and clients alone make a difference, in whatever order they come. */
  @Test
  void shouldShareFlowsEvenly() {
    byte[] number = new byte[4];
    List<IntFunction<ByteBuf>> kinds = List.of(
        i -> FrameBuilder.from("198.51.100.10", "192.0.2.100").tcp(30_000 + i, 80, 0).payload(number).build(),
        i -> FrameBuilder.from("2001:db8::10", "2001:db8:1::1").tcp(30_000 + 2 * i, 80, 0).payload(number).build(),
        i -> FrameBuilder.from("198.18." + i / 200 + "." + i % 200, "192.0.2.100").udp(4_000, 53).payload(number).build(),
        i -> FrameBuilder.from("2001:db8:0:0:" + Integer.toHexString(i) + ":" + Integer.toHexString(i) + "::1",
            "2001:db8:1::1").icmp(128, 0, new byte[8]).build());
    open(Latency.LOW, QUEUES);
    int flows = 2_000;
    for (IntFunction<ByteBuf> kind : kinds) {
      queuesOfNumber.clear();
      for (int i = 0; i < flows; i++) {
        send(kind.apply(i), i);
        if (i % 100 == 99) {
          receiveSent();
        }
      }
      int[] shares = new int[QUEUES];
      queuesOfNumber.values().forEach(queues -> shares[queues.get(0)]++);
      for (int share : shares) { // the deviation of a fair choice is 20
        assertThat(share).isCloseTo(flows / QUEUES, within(150));
      }
    }
  }

  /** A fragment tells no ports: it goes by addresses, and so do whole datagrams of the same client. */
  @Test
  void shouldKeepFragmentsWithWholeDatagrams() {
    open(Latency.LOW, QUEUES);
    for (int client = 1; client <= 64; client++) {
      for (int part = 0; part < 3; part++) {
        byte[] payload = withPorts(client * part, 53);
        send(FrameBuilder.from("198.51.100." + client, "192.0.2.100").protocol(17)
            .fragment(7, part * payload.length, part < 2).payload(payload).build(), client);
        send(FrameBuilder.from("2001:db8::" + client, "2001:db8:1::1").protocol(17)
            .fragment(7, part * payload.length, part < 2).payload(payload).build(), 1_000 + client);
      }
      send(FrameBuilder.from("198.51.100." + client, "192.0.2.100").udp(client, 53).payload(new byte[9]).build(), client);
      send(FrameBuilder.from("2001:db8:1::1", "2001:db8::" + client).udp(53, client).payload(new byte[9]).build(),
          1_000 + client);
    }
    receiveSent();
    assertThat(queuesOfNumber)
        .hasSize(128)
        .allSatisfy((client, queues) -> assertThat(queues).hasSize(4).containsOnly(queues.get(0)));
    assertThat(queuesUsed()).hasSize(QUEUES);
  }

  /** An error comes from any router, and quotes what the service had sent (RFC 792, RFC 4443). */
  @Test
  void shouldGiveErrorsToTheFlowOfThePacketTheyQuote() {
    open(Latency.LOW, QUEUES);
    for (int flow = 0; flow < FLOWS; flow++) {
      int number = flow;
      send(frameOf(flow, true), number);
      boolean v6 = (flow & 1) != 0;
      int[] types = v6 ? new int[] {1, 2, 3, 4} : new int[] {3, 4, 5, 11, 12};
      for (int type : types) {
        byte[] quote = packetOf(frameOf(flow, false));
        send(v6 ? error6(flow, type, quote) : error4(flow, type, quote, new byte[0]), number);
      }
      if (!v6) {
        send(error4(flow, 3, packetOf(frameOf(flow, false)), new byte[] {1, 1, 1, 0}), number);
      }
    }
    receiveSent();
    assertThat(queuesOfNumber)
        .hasSize(FLOWS)
        .allSatisfy((flow, queues) -> assertThat(queues).hasSizeGreaterThan(4).containsOnly(queues.get(0)));
    assertThat(queuesUsed()).hasSize(QUEUES);
  }

  private static byte[] packetOf(ByteBuf frame) {
    byte[] packet = ByteBufUtil.getBytes(frame, 14, frame.readableBytes() - 14);
    frame.release();
    return packet;
  }

  private static ByteBuf error4(int flow, int type, byte[] quote, byte[] options) {
    FrameBuilder frame = FrameBuilder.from("203.0.113." + (1 + flow % 250), "192.0.2.100");
    return (options.length > 0 ? frame.ipOptions(options) : frame)
        .icmp(type, 0, rest(quote)).build();
  }

  private static ByteBuf error6(int flow, int type, byte[] quote) {
    return FrameBuilder.from("2001:db8:2::" + flow, "2001:db8:1::100")
        .icmp(type, 0, rest(quote)).build();
  }

  /** Four bytes, the quote, and room for the test's number. */
  private static byte[] rest(byte[] quote) {
    return ByteBuffer.allocate(4 + quote.length + 2).put(4, quote).array();
  }

  /** What has no addresses, or not enough bytes for them and its ports, belongs to the first queue. */
  @Test
  void shouldGiveTheFirstQueueWhatItCannotTell() {
    open(Latency.LOW, QUEUES);
    send(frame(1, 60).retain(), 1);
    for (int length : new int[] {16, 20, 30, 33, 35, 37}) {
      ByteBuf whole = FrameBuilder.from("198.51.100.10", "192.0.2.100").tcp(1, 53, 0).payload(new byte[40]).build();
      ByteBuf cut = whole.retainedSlice(0, length);
      send(cut, length);
      whole.release();
    }
    receiveSent();
    assertThat(queuesUsed()).containsExactly(0);
  }

  /** A flow's super-frames come by the queue of its short ones, in order, before and after the interface was down. */
  @Test
  void shouldKeepSuperFramesInTheirFlow() throws Exception {
    open(Latency.LOW, QUEUES);
    long marks = FrameMarks.withGso(FrameMarks.CHECKSUM_PARTIAL, TCPV4, 1448);
    for (int round = 0; round < 2; round++) {
      for (int payload : new int[] {100, 30_000, 0, 65_000, 1_000, 1_400, 2_000}) {
        send(PartialFrames.unfinish(PartialFrames.frame(false, true, payload)),
            payload > 1448 ? marks : FrameMarks.CHECKSUM_PARTIAL);
      }
      Map<Integer, List<Integer>> seen = lengthsByQueue(7);
      assertThat(seen).hasSize(1);
      assertThat(seen.values().iterator().next())
          .containsExactly(154, 30_054, 54, 65_054, 1_054, 1_454, 2_054);
      must("ip", "link", "set", "dev", pair.left, "down");
      awaitStatus(left, PortStatus.DOWN);
      must("ip", "link", "set", "dev", pair.left, "up");
      awaitStatus(left, PortStatus.UP);
      awaitStatus(right, PortStatus.UP);
    }
  }

  private Map<Integer, List<Integer>> lengthsByQueue(int count) {
    Map<Integer, List<Integer>> lengths = new HashMap<>();
    int received = 0;
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (received < count && System.nanoTime() - deadlineNs < 0) {
      for (int queue = 0; queue < QUEUES; queue++) {
        FrameBatch batch = new FrameBatch();
        int got = left.queue(queue).receive(batch, 0);
        for (int i = 0; i < got; i++) {
          lengths.computeIfAbsent(queue, any -> new ArrayList<>()).add(batch.get(i).length());
        }
        left.queue(queue).release();
        received += got;
      }
    }
    assertThat(received).isEqualTo(count);
    return lengths;
  }
}

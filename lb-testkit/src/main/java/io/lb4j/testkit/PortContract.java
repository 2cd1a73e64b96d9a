package io.lb4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The rules that every {@link Port} keeps, as tests: order, batches, ownership of memory, refusals, counters, closing.
 * A subclass supplies two ports that are connected to each other and to nothing else. Both queues are worked on by the
 * test's thread.
 */
public abstract class PortContract {
  private static final int ETHERNET_HEADER = 14;
  private static final int ETHERNET_ADDRESSES = 12;
  private static final int VLAN_TAG = 4;
  private static final int MIN_FRAME = 60;
  private static final int INGRESS = 7;
  private static final long PATIENCE_NS = 5_000_000_000L;
  private static final long QUIET_NS = 50_000_000L;
  private static final MacAddress GROUP = MacAddress.of("33:33:ff:00:00:10");

  /**
   * Two ports, each of which receives what the other sends.
   *
   * @param left one
   * @param right the other
   */
  public record ConnectedPorts(Port left, Port right) {}

  private Port left;
  private Port right;
  private PortQueue sender;
  private PortQueue receiver;
  private final FrameBatch batch = new FrameBatch();
  private final List<ByteBuf> handedOver = new ArrayList<>();

  /** For subclasses. */
  protected PortContract() {}

  /**
   * Makes the ports; the contract closes them after each test.
   *
   * @return both open and up
   * @throws Exception when they cannot be made
   */
  protected abstract ConnectedPorts connect() throws Exception;

  /**
   * Takes away what {@link #connect()} made beside the ports, which are closed before.
   *
   * @throws Exception when it cannot be taken away
   */
  protected void disconnect() throws Exception {}

  @BeforeEach
  final void open() throws Exception {
    ConnectedPorts ports = connect();
    left = ports.left();
    right = ports.right();
    sender = left.queue(0);
    receiver = right.queue(0);
  }

  @AfterEach
  final void close() throws Exception {
    if (left != null) {
      left.close();
      right.close();
    }
    handedOver.forEach(ByteBuf::release);
    handedOver.clear();
    disconnect();
  }

  // what a port says of itself

  @Test
  void shouldDescribeItselfTheSameWayAlways() {
    assertThat(left.name()).isNotBlank();
    assertThat(left.traits().mtu()).isPositive();
    assertThat(left.traits()).isEqualTo(left.traits());
    assertThat(left.queues()).isPositive();
    for (int i = 0; i < left.queues(); i++) {
      assertThat(left.queue(i)).isNotNull().isSameAs(left.queue(i));
    }
    assertThat(left.status()).isEqualTo(PortStatus.UP);
    assertThat(left.counters()).isEqualTo(PortCounters.ZERO);
  }

  // order and content

  @Test
  void shouldDeliverFramesUnchangedAndInOrder() {
    List<byte[]> sent = new ArrayList<>();
    int longest = left.traits().mtu() + ETHERNET_HEADER;
    for (int i = 0; i < 200; i++) {
      sent.add(frame(i, MIN_FRAME + i * 37 % (longest - MIN_FRAME + 1)));
    }
    List<byte[]> received = new ArrayList<>();
    for (int from = 0; from < sent.size(); from += 20) {
      sendAll(sent.subList(from, from + 20));
      received.addAll(receive(20));
    }
    assertSame(received, sent);
  }

  @Test
  void shouldSendBothWays() {
    sendAll(List.of(frame(1, 100)));
    assertThat(receive(1)).hasSize(1);
    PortQueue forth = sender;
    sender = receiver;
    receiver = forth;
    sendAll(List.of(frame(2, 200)));
    assertSame(receive(1), List.of(frame(2, 200)));
  }

  @Test
  void shouldTakeFramesFromAnyKindOfBuffer() {
    byte[] content = frame(3, 300);
    List<ByteBuf> buffers =
        List.of(
            Unpooled.buffer(1000).writeZero(33).writeBytes(content),
            Unpooled.directBuffer(1000).writeZero(33).writeBytes(content),
            Unpooled.copiedBuffer(Unpooled.buffer().writeZero(50).writeBytes(content)).slice(17, 33 + content.length),
            Unpooled.wrappedBuffer(Unpooled.buffer().writeZero(33), Unpooled.wrappedBuffer(content)));
    for (ByteBuf buffer : buffers) {
      int readerIndex = buffer.readerIndex();
      assertThat(sender.transmit(buffer, 33, content.length, FrameMarks.NONE)).isTrue();
      assertThat(sender.flush()).isZero();
      assertThat(buffer.refCnt()).as("the caller still owns its buffer").isOne();
      assertThat(buffer.readerIndex()).isEqualTo(readerIndex);
      assertSame(receive(1), List.of(content));
      buffer.release();
    }
  }

  @Test
  void shouldGiveTheIngressAskedForAndNoMarksToOrdinaryFrames() {
    sendAll(List.of(frame(4, 64)));
    awaitFrames(1);
    FrameView view = batch.get(0);
    assertThat(view.ingress()).isEqualTo(INGRESS);
    assertThat(view.marks() & ~FrameMarks.CHECKSUM_PARTIAL).isZero();
    receiver.release();
  }

  @Test
  void shouldNotReceiveItsOwnFrames() {
    sendAll(List.of(frame(5, 64), frame(6, 64)));
    receive(2);
    batch.clear();
    sender.await(QUIET_NS);
    assertThat(sender.receive(batch, INGRESS)).isZero();
  }

  // batches

  @Test
  void shouldAddBehindTheFramesOfABatchAndNeverOverfillIt() {
    List<byte[]> sent = frames(0, 40);
    sendAll(sent);
    ByteBuf foreign = Unpooled.buffer().writeZero(64);
    batch.clear();
    for (int i = 0; i < 20; i++) {
      batch.add(foreign, 0, 64, FrameMarks.NONE, 1);
    }
    awaitFrames(12);
    assertThat(batch.size()).isEqualTo(FrameBatch.CAPACITY);
    assertThat(batch.get(19).buffer()).isSameAs(foreign);
    assertThat(receiver.receive(batch, INGRESS)).as("a full batch takes nothing").isZero();
    List<byte[]> received = contents(20);
    receiver.release();
    batch.clear();
    received.addAll(receive(28));
    assertSame(received, sent);
    foreign.release();
  }

  @Test
  void shouldAnswerZeroWhenNothingWaits() {
    batch.clear();
    assertThat(receiver.receive(batch, INGRESS)).isZero();
    assertThat(batch.size()).isZero();
    receiver.release();
  }

  // memory

  @Test
  void shouldKeepReceivedFramesUntilRelease() {
    List<byte[]> sent = frames(0, 3 * 8);
    FrameBatch[] bursts = new FrameBatch[3];
    for (int i = 0; i < 3; i++) {
      sendAll(sent.subList(i * 8, i * 8 + 8));
      bursts[i] = new FrameBatch();
      awaitFrames(bursts[i], 8);
    }
    List<byte[]> kept = new ArrayList<>();
    for (FrameBatch burst : bursts) {
      kept.addAll(contents(burst, 0));
    }
    assertSame(kept, sent);
    receiver.release();
  }

  @Test
  void shouldUseItsMemoryAgainAfterRelease() {
    for (int round = 0; round < 200; round++) {
      List<byte[]> sent = frames(round, 16);
      sendAll(sent);
      assertSame(receive(16), sent);
    }
  }

  @Test
  void shouldAllowRewritingInPlaceAndSendingFromReceivedMemory() {
    List<byte[]> sent = frames(0, 8);
    sendAll(sent);
    awaitFrames(8);
    for (int i = 0; i < 8; i++) {
      FrameView view = batch.get(i);
      view.buffer().setByte(view.start() + ETHERNET_HEADER, 0xEE);
      assertThat(receiver.transmit(view.buffer(), view.start(), view.length(), FrameMarks.NONE)).isTrue();
    }
    assertThat(receiver.flush()).isZero();
    receiver.release();
    receiver = sender;
    sent.forEach(frame -> frame[ETHERNET_HEADER] = (byte) 0xEE);
    assertSame(receive(8), sent);
  }

  // sending

  @Test
  void shouldSendNothingBeforeFlush() {
    ByteBuf buffer = Unpooled.wrappedBuffer(frame(1, 64));
    assertThat(sender.transmit(buffer, 0, 64, FrameMarks.NONE)).isTrue();
    batch.clear();
    receiver.await(QUIET_NS);
    assertThat(receiver.receive(batch, INGRESS)).isZero();
    assertThat(sender.flush()).isZero();
    assertThat(receive(1)).hasSize(1);
    buffer.release();
  }

  @Test
  void shouldFlushNothingTwice() {
    assertThat(sender.flush()).isZero();
    assertThat(sender.flush()).isZero();
    assertThat(left.counters()).isEqualTo(PortCounters.ZERO);
  }

  @Test
  void shouldRefuseFramesLongerThanTheMtuAndGoOn() {
    int longest = left.traits().mtu() + ETHERNET_HEADER;
    assertThat(handOver(frame(0, longest))).isTrue();
    assertThat(handOver(frame(1, longest + 1))).isFalse();
    assertThat(handOver(tagged(2, longest + VLAN_TAG))).as("a VLAN tag does not count").isTrue();
    assertThat(handOver(tagged(3, longest + VLAN_TAG + 1))).isFalse();
    assertThat(handOver(frame(4, 64))).isTrue();
    assertThat(sender.flush()).as("refused when handed over, not by the flush").isZero();
    assertSame(receive(3), List.of(frame(0, longest), tagged(2, longest + VLAN_TAG), frame(4, 64)));
    assertThat(left.counters().refusedFrames()).isEqualTo(2);
    assertThat(left.counters().transmittedFrames()).isEqualTo(3);
  }

  @Test
  void shouldRefuseMarksItDoesNotCarry() {
    ByteBuf buffer = Unpooled.wrappedBuffer(frame(0, 100));
    int refused = 0;
    if (!left.traits().carriesPartialChecksums()) {
      assertThat(sender.transmit(buffer, 0, 100, FrameMarks.CHECKSUM_PARTIAL)).isFalse();
      refused++;
    }
    if (!left.traits().carriesGso()) {
      assertThat(sender.transmit(buffer, 0, 100, FrameMarks.withGso(FrameMarks.NONE, 1, 50))).isFalse();
      refused++;
    }
    sender.flush();
    assertThat(left.counters().refusedFrames()).isEqualTo(refused);
    batch.clear();
    receiver.await(QUIET_NS);
    assertThat(receiver.receive(batch, INGRESS)).isZero();
    assertThat(buffer.refCnt()).isOne();
    buffer.release();
  }

  // counters and waiting

  @Test
  void shouldCountFramesAndBytesOnBothSides() {
    sendAll(List.of(frame(0, 60), frame(1, 100), frame(2, 1000)));
    receive(3);
    assertThat(left.counters()).isEqualTo(new PortCounters(0, 0, 0, 3, 1160, 0));
    assertThat(right.counters()).isEqualTo(new PortCounters(3, 1160, 0, 0, 0, 0));
  }

  @Test
  void shouldStopWaitingWhenTheTimeIsOver() {
    long begin = System.nanoTime();
    receiver.await(30_000_000L);
    assertThat(System.nanoTime() - begin).isLessThan(1_000_000_000L);
  }

  @Test
  void shouldStopWaitingWhenAFrameIsThere() {
    sendAll(frames(0, 1));
    long begin = System.nanoTime();
    assertThat(receive(1)).hasSize(1);
    assertThat(System.nanoTime() - begin).isLessThan(2_000_000_000L);
  }

  @Test
  void shouldWaitForSeveralQueuesOrSayThatItCannot() {
    PortQueue[] both = {sender, receiver};
    long begin = System.nanoTime();
    boolean waits = sender.awaitAny(both, 20_000_000L);
    assertThat(System.nanoTime() - begin).isLessThan(1_000_000_000L);
    sendAll(frames(0, 1));
    begin = System.nanoTime();
    assertThat(sender.awaitAny(both, 2_000_000_000L)).isEqualTo(waits);
    assertThat(System.nanoTime() - begin).as("a frame ends the wait").isLessThan(1_500_000_000L);
    assertThat(receive(1)).hasSize(1);
    right.close();
    assertThat(sender.awaitAny(both, 20_000_000L)).as("with one that was closed").isEqualTo(waits);
  }

  // groups and closing

  @Test
  void shouldJoinAGroupTwiceWithoutHarm() {
    right.join(GROUP);
    right.join(GROUP);
    byte[] toGroup = frame(1, 80);
    NumberedFrame.setDestination(toGroup, GROUP);
    sendAll(List.of(toGroup));
    assertSame(receive(1), List.of(toGroup));
  }

  @Test
  void shouldAnswerZeroAfterClosing() {
    sendAll(frames(0, 4));
    receive(4);
    PortCounters before = left.counters();
    left.close();
    right.close();
    right.close();
    assertThat(right.status()).isEqualTo(PortStatus.CLOSED);
    batch.clear();
    receiver.await(1_000_000_000L);
    assertThat(receiver.receive(batch, INGRESS)).isZero();
    receiver.release();
    assertThat(handOver(frame(0, 64))).isFalse();
    assertThat(sender.flush()).isZero();
    assertThat(left.counters().transmittedFrames()).isEqualTo(before.transmittedFrames());
    assertThat(right.counters().receivedFrames()).isEqualTo(4);
  }

  // helpers

  private boolean handOver(byte[] content) {
    // Memory must not change before the flush: each frame has a buffer of its own until the test ends.
    ByteBuf buffer = Unpooled.directBuffer(content.length).writeBytes(content);
    handedOver.add(buffer);
    return sender.transmit(buffer, 0, content.length, FrameMarks.NONE);
  }

  private void sendAll(List<byte[]> contents) {
    for (byte[] content : contents) {
      assertThat(handOver(content)).isTrue();
    }
    assertThat(sender.flush()).isZero();
  }

  private List<byte[]> receive(int count) {
    List<byte[]> received = new ArrayList<>();
    while (received.size() < count) {
      batch.clear();
      awaitFrames(Math.min(count - received.size(), FrameBatch.CAPACITY));
      received.addAll(contents(0));
      receiver.release();
      batch.clear();
    }
    return received;
  }

  private void awaitFrames(int count) {
    awaitFrames(batch, count);
  }

  private void awaitFrames(FrameBatch into, int count) {
    int wanted = into.size() + count;
    long deadlineNs = System.nanoTime() + PATIENCE_NS;
    while (into.size() < wanted && System.nanoTime() - deadlineNs < 0) {
      if (receiver.receive(into, INGRESS) == 0) {
        receiver.await(10_000_000L);
      }
    }
    assertThat(into.size()).as("frames received in time").isGreaterThanOrEqualTo(wanted);
  }

  private List<byte[]> contents(int from) {
    return contents(batch, from);
  }

  private static List<byte[]> contents(FrameBatch frames, int from) {
    List<byte[]> contents = new ArrayList<>();
    for (int i = from; i < frames.size(); i++) {
      contents.add(content(frames.get(i)));
    }
    return contents;
  }

  /** The frame's bytes, with the VLAN tag among them that may travel beside. */
  private static byte[] content(FrameView view) {
    byte[] bytes = ByteBufUtil.getBytes(view.buffer(), view.start(), view.length());
    if ((view.marks() & FrameMarks.VLAN) == 0) {
      return bytes;
    }
    ByteBuffer tagged = ByteBuffer.allocate(bytes.length + VLAN_TAG);
    tagged.put(bytes, 0, ETHERNET_ADDRESSES).putShort((short) 0x8100);
    tagged.putShort((short) FrameMarks.vlanTci(view.marks()));
    return tagged.put(bytes, ETHERNET_ADDRESSES, bytes.length - ETHERNET_ADDRESSES).array();
  }

  private static void assertSame(List<byte[]> received, List<byte[]> sent) {
    assertThat(received).hasSameSizeAs(sent);
    for (int i = 0; i < sent.size(); i++) {
      assertThat(received.get(i)).as("frame %d", i).isEqualTo(sent.get(i));
    }
  }

  private List<byte[]> frames(int first, int count) {
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      frames.add(frame(first + i, MIN_FRAME + i));
    }
    return frames;
  }

  private byte[] frame(int number, int length) {
    return NumberedFrame.untagged(number, length, right.traits().mac());
  }

  private byte[] tagged(int number, int length) {
    return NumberedFrame.tagged(number, length, right.traits().mac());
  }
}

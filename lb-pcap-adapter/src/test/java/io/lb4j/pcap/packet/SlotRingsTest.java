package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.PacketSocket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** In which order frames of both rings are read, where several processors write them: the test does what they do. */
@Tag("root")
class SlotRingsTest extends LivePortFixture {
  private static final int ETHERNET = 82; // place in a slot

  private NetDevice device;
  private RingSocket shortSocket;
  private RingSocket longSocket;
  private SlotRings rings;
  private int renewed;

  @BeforeEach
  void openRings() {
    device = NetDevice.open(pair.left);
    RingRequest shorts = RingRequest.ofSlots(RingRequest.LEAST_SIZE, device.mtu());
    RingRequest longs = RingRequest.ofLongSlots(RingRequest.LEAST_SIZE);
    shortSocket = open(shorts);
    longSocket = open(longs);
    rings = new SlotRings(shortSocket, shorts, longSocket, longs, this::renew);
  }

  /** A socket that is not bound, so that the kernel writes nothing into its ring. */
  private RingSocket open(RingRequest request) {
    PacketSocket socket = PacketSocket.openUnbound(device.name(), device.index());
    int size = request.allocate(socket, RingRequest.KERNEL, device.name());
    return new RingSocket(socket, RingMemory.map(socket.fd(), size, device.name()));
  }

  private boolean renew(RingSocket socket, RingRequest request) {
    assertThat(socket).isSameAs(shortSocket);
    renewed++;
    return renewed > 1; // the kernel has no memory at first
  }

  @AfterEach
  void closeRings() {
    if (device != null) {
      shortSocket.close();
      longSocket.close();
      device.close();
    }
  }

  /** A frame is whole; its time is its length as well. */
  private void writeShort(int slot, int time) {
    write(shortSocket.memory().address() + slot * 2048L, 0, time);
  }

  private void writeLong(int slot, int time) {
    int ofBlock = 1024 * 1024 / 65_664;
    write(longSocket.memory().address() + slot / ofBlock * 1024L * 1024 + slot % ofBlock * 65_664L, 0, time);
  }

  private static void write(long slot, int seconds, int time) {
    Native.MEMORY.set(Native.INT, slot + 4, time);
    Native.MEMORY.set(Native.INT, slot + 8, time);
    Native.MEMORY.set(Native.SHORT, slot + 12, (short) ETHERNET);
    Native.MEMORY.set(Native.INT, slot + 16, seconds);
    Native.MEMORY.set(Native.INT, slot + 20, time);
    Native.MEMORY.set(Native.INT, slot, RingFrames.STATUS_USER);
  }

  private List<Integer> read() {
    FrameBatch batch = new FrameBatch();
    int count = rings.receive(batch, 0);
    List<Integer> times = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      times.add(batch.get(i).length());
    }
    return times;
  }

  @Test
  void shouldReadBothRingsByTime() {
    writeShort(0, 101);
    writeLong(0, 102);
    writeLong(1, 103);
    writeShort(1, 104);
    writeShort(2, 105);
    writeLong(2, 106);
    assertThat(read()).containsExactly(101, 102, 103, 104, 105, 106);
    assertThat(read()).isEmpty();
    rings.release();
    assertThat(read()).isEmpty();
  }

  @Test
  void shouldGoRoundTheLongRingAcrossItsBlocks() {
    int slots = 4 * 15; // 4 MiB are the least
    for (int i = 0; i < 3 * slots; i++) {
      writeLong(i % slots, 100 + i);
      assertThat(read()).containsExactly(100 + i);
      rings.release();
    }
  }

  /** A super-frame that is whole waits behind one that another processor still copies; its successor is short. */
  @Test
  void shouldNotTakeAShortFrameBeforeALongOneThatIsHidden() {
    writeLong(1, 102);
    writeShort(0, 103);
    assertThat(read()).isEmpty();
    writeLong(0, 101);
    assertThat(read()).containsExactly(101, 102, 103);
  }

  @Test
  void shouldNotTakeALongFrameBeforeAShortOneThatIsHidden() {
    writeShort(1, 102);
    writeLong(0, 103);
    assertThat(read()).isEmpty();
    writeShort(0, 101);
    assertThat(read()).containsExactly(101, 102, 103);
  }

  @Test
  void shouldTakeWhatCameBeforeTheHiddenFrame() {
    writeShort(0, 101);
    writeShort(1, 104);
    writeLong(1, 103);
    assertThat(read()).containsExactly(101);
    writeLong(0, 102);
    assertThat(read()).containsExactly(102, 103, 104);
  }

  /** A processor that began earlier may end later: what lies behind its frame in the ring came before it. */
  @Test
  void shouldGoByTheEarliestTimeOfARing() {
    writeLong(0, 104);
    writeLong(1, 101);
    writeShort(0, 103);
    assertThat(read()).containsExactly(104, 101, 103);
    writeShort(1, 114);
    writeShort(2, 111);
    writeLong(2, 113);
    assertThat(read()).containsExactly(114, 111, 113);
  }

  /** An unfinished frame alone holds nobody up: nothing of the flow that follows it can be there. */
  @Test
  void shouldNotWaitForAFrameBehindWhichNothingIsHidden() {
    writeShort(1, 102);
    writeShort(0, 101);
    writeLong(2, 105);
    writeShort(2, 103);
    assertThat(read()).containsExactly(101, 102, 103);
  }

  /** The kernel's times are those of the wall clock, which may be set back. */
  @Test
  void shouldGoOnWhenTheClockWasSetBack() {
    write(longSocket.memory().address(), 2_000, 101);
    writeShort(0, 102);
    writeShort(1, 103);
    assertThat(read()).containsExactly(101, 102, 103);
  }

  private void drop(int socket, int frames) {
    rings.onDropped(socket, frames, rings.taken(socket));
  }

  /** Drops while the ring is full are no reason, and neither are those of a time in which frames were taken. */
  @Test
  void shouldMakeARingAnewThatIsEmptyWhileFramesAreDropped() {
    writeShort(0, 101);
    drop(0, 5);
    drop(0, 5);
    rings.mend();
    assertThat(renewed).as("it was full").isZero();
    assertThat(read()).containsExactly(101);
    rings.release();
    rings.mend();
    assertThat(renewed).as("it was read since").isZero();
    drop(0, 1);
    drop(0, 0);
    drop(1, 1);
    rings.mend();
    assertThat(renewed).as("nobody knows when").isZero();
    drop(0, 1);
    rings.mend();
    rings.mend();
    assertThat(renewed).as("it stands still").isOne();
    drop(0, 0);
    rings.mend();
    assertThat(renewed).as("without drops, which no socket has that has no ring").isEqualTo(2);
    drop(0, 0);
    rings.mend();
    assertThat(renewed).isEqualTo(2);
    writeShort(0, 102);
    assertThat(read()).as("from its beginning").containsExactly(102);
  }
}

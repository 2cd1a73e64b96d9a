package io.lb4j.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.util.IllegalReferenceCountException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("memory")
class OffHeapTest {
  @ParameterizedTest
  @ValueSource(ints = {64, 4096, 9 << 20, (20 << 20) + 192})
  void shouldGiveZeroedMemoryOfTheSizeAskedFor(int bytes) {
    OffHeap memory = OffHeap.of(bytes);
    assertThat(memory.size()).isEqualTo(bytes);
    for (int offset = 0; offset <= bytes - 8; offset += 4096) {
      assertThat(memory.getLong(offset)).isZero();
    }
    assertThat(memory.getLong(bytes - 8)).isZero();
    memory.setLong(bytes - 8, 0x8000_0000_0000_00FFL);
    assertThat(memory.getLong(bytes - 8)).isEqualTo(0x8000_0000_0000_00FFL);
  }

  @Test
  void shouldKeepValuesOfEverySizeInTheMachinesOrder() {
    OffHeap memory = OffHeap.of(64);
    memory.setLong(0, 0x8070_6050_4030_20F1L);
    memory.setInt(8, 0xFFEE_DD80);
    memory.setByte(12, (byte) 0x80);
    ByteBuffer expected = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    expected.putLong(0, 0x8070_6050_4030_20F1L).putInt(8, 0xFFEE_DD80).put(12, (byte) 0x80);
    for (int offset = 0; offset < 13; offset++) {
      assertThat(memory.getByte(offset)).as("byte %d", offset).isEqualTo(expected.get(offset));
    }
    assertThat(memory.getInt(8)).isEqualTo(0xFFEE_DD80);
    assertThat(memory.getInt(2)).as("not aligned").isEqualTo(expected.getInt(2));
  }

  @Test
  void shouldNoticeOffsetsOutsideWhileTesting() {
    OffHeap memory = OffHeap.of(64);
    assertThatThrownBy(() -> memory.getLong(57)).isInstanceOf(AssertionError.class);
    assertThatThrownBy(() -> memory.getInt(-1)).isInstanceOf(AssertionError.class);
  }

  /** Both ways to reach a frame give the same bytes; where there are no addresses there is one way only. */
  @Test
  void shouldReadAndWriteInNetworkOrderAsBuffersDo() {
    ByteBuf buffer = Unpooled.directBuffer(32, 32).writeZero(32);
    long address = DirectMemory.addressOf(buffer);
    assertThat(address != 0).isEqualTo(DirectMemory.AVAILABLE && buffer.hasMemoryAddress());
    if (address != 0) {
      DirectMemory.setLong(address + 1, 0x80FF_0102_0304_0506L);
      DirectMemory.setInt(address + 9, 0xFF80_7F01);
      DirectMemory.setShort(address + 13, 0x80FF);
      DirectMemory.setByte(address + 15, 0x80);
      assertThat(buffer.getLong(1)).isEqualTo(0x80FF_0102_0304_0506L);
      assertThat(buffer.getInt(9)).isEqualTo(0xFF80_7F01);
      assertThat(buffer.getUnsignedShort(13)).isEqualTo(0x80FF);
      assertThat(DirectMemory.getLong(address + 1)).isEqualTo(buffer.getLong(1));
      assertThat(DirectMemory.getInt(address + 9)).isEqualTo(buffer.getInt(9));
      assertThat(DirectMemory.getUnsignedShort(address + 13)).isEqualTo(0x80FF);
      assertThat(DirectMemory.getUnsignedByte(address + 15)).isEqualTo(0x80);
    }
    buffer.release();
  }

  @Test
  void shouldGiveNoAddressOfHeapBuffers() {
    assertThat(DirectMemory.addressOf(Unpooled.buffer(16))).isZero();
  }

  @Test
  void shouldRefuseBuffersInPieces() {
    CompositeByteBuf pieces = Unpooled.compositeBuffer();
    pieces.addComponent(true, Unpooled.directBuffer(8, 8).writeZero(8));
    pieces.addComponent(true, Unpooled.directBuffer(8, 8).writeZero(8));
    assertThatThrownBy(() -> DirectMemory.addressOf(pieces))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("composite");
    pieces.release();
  }

  /** Either there is no address any more, and the buffer itself refuses, or the address is refused. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldNotReachMemoryThatWasReleased(boolean pooled) {
    ByteBuf buffer = pooled ? PooledByteBufAllocator.DEFAULT.directBuffer(16, 16) : Unpooled.directBuffer(16, 16);
    buffer.release();
    assertThatThrownBy(() -> {
          if (DirectMemory.addressOf(buffer) == 0) {
            buffer.getByte(0);
          }
        })
        .isInstanceOf(IllegalReferenceCountException.class);
  }
}

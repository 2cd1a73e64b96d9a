package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.pcap.os.MessageVector;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.PacketSocket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Sends a frame with an offload header of the test's choice. */
final class RawSender {
  private RawSender() {}

  static void send(String deviceName, ByteBuf frame, int checksumStart, int checksumOffset) {
    byte[] bytes = ByteBufUtil.getBytes(frame);
    try (NetDevice device = NetDevice.open(deviceName);
        PacketSocket socket = PacketSocket.open(deviceName, device.index(), 1 << 20);
        Arena arena = Arena.ofConfined()) {
      socket.set(PacketSocket.PACKET_VNET_HDR, 1, "PACKET_VNET_HDR", "2.6");
      MemorySegment message = arena.allocate(VirtioHeader.LENGTH + bytes.length, 8);
      message.set(ValueLayout.JAVA_BYTE, 0, (byte) VirtioHeader.NEEDS_CHECKSUM);
      message.set(ValueLayout.JAVA_SHORT, 6, (short) checksumStart);
      message.set(ValueLayout.JAVA_SHORT, 8, (short) checksumOffset);
      MemorySegment.copy(bytes, 0, message, ValueLayout.JAVA_BYTE, VirtioHeader.LENGTH, bytes.length);
      MemorySegment vector = arena.allocate(16, 8);
      vector.set(ValueLayout.JAVA_LONG, 0, message.address());
      vector.set(ValueLayout.JAVA_LONG, 8, message.byteSize());
      MessageVector messages = new MessageVector(socket.fd(), 1);
      messages.set(0, vector.address(), 1);
      assertThat(messages.send(1)).as("refused").isZero();
    }
  }
}

package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.pcap.VethPair;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Assumptions;

/** An interface that receives what a virtual machine would send: with any offload header, which nobody changes. */
final class TapDevice implements AutoCloseable {
  static final int UFO = 3; // a datagram to be cut into fragments, which packet sockets have no word for

  private static final MethodHandle OPEN =
      Native.bind(
          Native.systemLibrary(),
          "open",
          FunctionDescriptor.of(Native.INT, Native.POINTER, Native.INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle WRITE =
      Native.bind(
          Native.systemLibrary(), "write", FunctionDescriptor.of(Native.LONG, Native.INT, Native.POINTER, Native.LONG));
  private static final int READ_AND_WRITE = 2;
  private static final long TUNSETIFF = 0x400454CAL;
  private static final short TAP_WITH_HEADER = 0x2 | 0x1000 | 0x4000; // IFF_TAP, IFF_NO_PI, IFF_VNET_HDR

  final String name = "lbt" + Long.toString(ProcessHandle.current().pid(), 36) + "tap";
  private final int fd;

  TapDevice() {
    Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "needs root to make interfaces");
    try (Arena arena = Arena.ofConfined()) {
      fd = (int) OPEN.invokeExact(arena.allocateFrom("/dev/net/tun").address(), READ_AND_WRITE);
      Assumptions.assumeTrue(fd >= 0, "there is no /dev/net/tun");
      MemorySegment request = arena.allocate(40, 8); // ifreq
      request.setString(0, name);
      request.set(Native.SHORT, 16, TAP_WITH_HEADER);
      assertThat(Libc.ioctl(fd, TUNSETIFF, request)).isZero();
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
    VethPair.must("sysctl", "-qw", "net.ipv6.conf." + name + ".disable_ipv6=1");
    VethPair.must("ip", "link", "set", "dev", name, "up");
  }

  /** The interface receives a frame with an unfinished checksum, of a GSO type as in virtio_net_hdr; 0 for none. */
  void receive(ByteBuf frame, int checksumStart, int checksumOffset, int gsoType, int segmentSize) {
    byte[] bytes = ByteBufUtil.getBytes(frame);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(VirtioHeader.LENGTH + bytes.length, 8);
      message.set(ValueLayout.JAVA_BYTE, 0, (byte) VirtioHeader.NEEDS_CHECKSUM);
      message.set(ValueLayout.JAVA_BYTE, 1, (byte) gsoType);
      message.set(ValueLayout.JAVA_SHORT, 4, (short) segmentSize);
      message.set(ValueLayout.JAVA_SHORT, 6, (short) checksumStart);
      message.set(ValueLayout.JAVA_SHORT, 8, (short) checksumOffset);
      MemorySegment.copy(bytes, 0, message, ValueLayout.JAVA_BYTE, VirtioHeader.LENGTH, bytes.length);
      assertThat((long) WRITE.invokeExact(fd, message.address(), message.byteSize())).isEqualTo(message.byteSize());
    } catch (Throwable e) {
      throw Native.unexpected(e);
    }
  }

  @Override
  public void close() {
    Libc.close(fd);
  }
}

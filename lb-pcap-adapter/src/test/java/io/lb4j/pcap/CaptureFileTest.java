package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.lb4j.frame.FrameMarks;
import io.lb4j.pcap.CaptureBytes.Packet;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CaptureFileTest {
  private static final Packet SHORT_A = new Packet(1_000_000_000L, 0, 20, CaptureBytes.hex(1, 20), "");
  private static final Packet SHORT_B = new Packet(2_000_001_000L, 0, 33, CaptureBytes.hex(2, 22), "");

  @TempDir Path directory;

  static Stream<Arguments> formatsAndOrders() {
    return Stream.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)
        .flatMap(order -> Stream.of(CaptureFormat.values()).map(format -> Arguments.of(format, order)));
  }

  @ParameterizedTest
  @MethodSource("formatsAndOrders")
  void shouldReadBackWhatWasWritten(CaptureFormat format, ByteOrder order) throws Exception {
    List<Packet> packets = CaptureBytes.samples(format);
    byte[] file = CaptureBytes.write(format, order, packets);
    assertThat(CaptureBytes.read(file)).isEqualTo(packets);
    assertThat(CaptureBytes.write(format, order, packets)).isEqualTo(file);
    try (CaptureReader reader = CaptureBytes.reader(file)) {
      assertThat(reader.format()).isEqualTo(format);
      assertThat(reader.next()).isTrue();
      assertThat(reader.marks()).isEqualTo(FrameMarks.TRUNCATED);
      assertThat(reader.next()).isTrue();
      assertThat(reader.marks()).isEqualTo(FrameMarks.NONE);
      assertThat(reader.damage()).isEmpty();
    }
  }

  @Test
  void shouldTellInterfaces() throws Exception {
    byte[] blocks = CaptureBytes.write(CaptureFormat.PCAPNG, ByteOrder.LITTLE_ENDIAN, List.of());
    try (CaptureReader reader = CaptureBytes.reader(blocks)) {
      assertThat(reader.next()).isFalse();
      assertThat(reader.interfaces())
          .containsExactly(new CaptureInterface(0, "eth0", 1, 0), new CaptureInterface(1, "wan-é", 1, 0));
    }
    byte[] classic = CaptureBytes.write(CaptureFormat.PCAP_NANOSECONDS, ByteOrder.LITTLE_ENDIAN, List.of());
    try (CaptureReader reader = CaptureBytes.reader(classic)) {
      assertThat(reader.interfaces()).containsExactly(new CaptureInterface(0, "", 1, 262_144));
    }
  }

  @ParameterizedTest
  @MethodSource("formatsAndOrders")
  void shouldDeliverAllWholePacketsOfACutFileAndSayWhereItWasCut(CaptureFormat format, ByteOrder order)
      throws Exception {
    byte[] one = CaptureBytes.write(format, order, List.of(SHORT_A));
    byte[] two = CaptureBytes.write(format, order, List.of(SHORT_A, SHORT_B));
    for (int length = one.length; length <= two.length; length++) {
      try (CaptureReader reader = CaptureBytes.reader(java.util.Arrays.copyOf(two, length))) {
        List<Packet> read = new ArrayList<>();
        while (reader.next()) {
          read.add(CaptureBytes.packet(reader));
        }
        assertThat(read).hasSize(length == two.length ? 2 : 1).startsWith(SHORT_A);
        if (length == one.length || length == two.length) {
          assertThat(reader.damage()).isEmpty();
        } else {
          assertThat(reader.damage())
              .contains("memory: truncated at offset " + one.length + ": the file ends " + (length - one.length)
                  + " bytes into a record");
        }
        assertThat(reader.next()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formatsAndOrders")
  void shouldRefuseAFileWhoseHeaderIsCut(CaptureFormat format, ByteOrder order) throws Exception {
    byte[] whole = CaptureBytes.write(format, order, List.of());
    int header = format == CaptureFormat.PCAPNG ? 28 : 24;
    for (int length = 0; length < header; length++) {
      byte[] cut = java.util.Arrays.copyOf(whole, length);
      assertThatExceptionOfType(CaptureException.class)
          .isThrownBy(() -> CaptureBytes.reader(cut))
          .withMessageStartingWith("memory: offset 0: ");
    }
  }

  @Test
  void shouldRefuseWhatIsNotACapture() {
    assertRefused(new byte[0], "the file is empty");
    byte[] text = "hello, world".getBytes(StandardCharsets.UTF_8);
    assertRefused(text, "neither pcap nor pcapng: it begins with 0x68656c6c");
    assertRefused(new byte[] {0x1F, (byte) 0x8B, 8, 0, 0}, "compressed with gzip; decompress it first");
    Path missing = directory.resolve("missing.pcap");
    assertThatExceptionOfType(CaptureException.class)
        .isThrownBy(() -> CaptureReader.open(missing))
        .withMessage(missing + ": offset 0: no such file");
    assertThatExceptionOfType(CaptureException.class).isThrownBy(() -> CaptureReader.open(directory));
  }

  @Test
  void shouldRefuseOtherLinkTypesVersionsAndLengths() throws Exception {
    byte[] file = CaptureBytes.write(CaptureFormat.PCAP_MICROSECONDS, ByteOrder.LITTLE_ENDIAN, List.of(SHORT_A));
    byte[] wireless = file.clone();
    wireless[20] = 105;
    assertRefused(wireless, "link type 105; only Ethernet (1) can be read");
    byte[] version = file.clone();
    version[4] = 9;
    assertRefused(version, "pcap version 9.4; version 2 can be read");
    byte[] huge = file.clone();
    huge[24 + 11] = 0x7F;
    assertFailsAfter(huge, 0, "offset 24: a packet of 2130706452 bytes; at most 262144 can be read");
  }

  @Test
  void shouldTakeOffAFrameCheckSequence() throws Exception {
    List<Packet> both = List.of(SHORT_A, SHORT_B);
    byte[] file = CaptureBytes.write(CaptureFormat.PCAP_MICROSECONDS, ByteOrder.LITTLE_ENDIAN, both);
    file[23] = 0x24; // present, twice 16 bits
    List<Packet> packets = CaptureBytes.read(file);
    assertThat(packets.get(0).bytes()).isEqualTo(SHORT_A.bytes().substring(0, 32));
    assertThat(packets.get(0).wireLength()).isEqualTo(16);
    assertThat(packets.get(1).bytes()).as("cut before the sequence").isEqualTo(SHORT_B.bytes());
    assertThat(packets.get(1).wireLength()).isEqualTo(29);
  }

  @Test
  void shouldRefuseWrongArgumentsOfAWriter() throws Exception {
    ByteBuf frame = Unpooled.buffer().writeZero(60);
    Path file = directory.resolve("a.pcap");
    try (CaptureWriter writer = CaptureWriter.create(file, CaptureFormat.PCAP_NANOSECONDS)) {
      assertThatIllegalArgumentException().isThrownBy(() -> writer.write(0, 0, frame, 0, 60));
      writer.addInterface("eth0");
      assertThatIllegalStateException().isThrownBy(() -> writer.addInterface("eth1"));
      assertThatIllegalArgumentException().isThrownBy(() -> writer.write(0, 0, frame, 0, 60, 59, ""));
      assertThatIllegalArgumentException().isThrownBy(() -> writer.write(0, 0, frame, 0, -1));
      writer.write(0, -5, frame, 0, 60);
      writer.write(0, Long.MAX_VALUE, frame, 0, 60);
    }
    assertThat(CaptureBytes.read(Files.readAllBytes(file)))
        .extracting(Packet::timestampNs)
        .containsExactly(0L, 4_294_967_295_999_999_999L);
    assertThatExceptionOfType(CaptureException.class)
        .isThrownBy(() -> CaptureWriter.create(directory.resolve("none/a.pcap"), CaptureFormat.PCAPNG))
        .withMessageContaining("cannot be created");
  }

  @ParameterizedTest
  @MethodSource("formatsAndOrders")
  void shouldRefuseWhatABufferDoesNotHoldBeforeAnythingIsWritten(CaptureFormat format, ByteOrder order)
      throws Exception {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ByteBuf frame = Unpooled.buffer(60, 60).writeZero(60);
    try (CaptureWriter writer = CaptureWriter.create(Channels.newChannel(file), "memory", format, order)) {
      writer.addInterface("eth0");
      writer.write(0, 1_000, frame, 0, 60);
      assertThatIllegalArgumentException().isThrownBy(() -> writer.write(0, 2_000, frame, 0, 61));
      assertThatIllegalArgumentException().isThrownBy(() -> writer.write(0, 2_000, frame, -1, 60));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> writer.write(0, 2_000, frame, Integer.MAX_VALUE, 60))
          .withMessage("start 2147483647 and length 60 of a buffer of 60 bytes");
      writer.write(0, 3_000, frame, 0, 60);
    }
    assertThat(CaptureBytes.read(file.toByteArray())).extracting(Packet::timestampNs).containsExactly(1_000L, 3_000L);
  }

  /** A disk that is full for a moment, and takes half of what it is given then. */
  private static final class FullDisk implements WritableByteChannel {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean full;
    private boolean open = true;

    @Override
    public int write(ByteBuffer source) throws IOException {
      byte[] taken = new byte[full ? source.remaining() / 2 : source.remaining()];
      source.get(taken);
      bytes.writeBytes(taken);
      if (full) {
        throw new ClosedByInterruptException(); // any without words
      }
      return taken.length;
    }

    @Override
    public boolean isOpen() {
      return open;
    }

    @Override
    public void close() {
      open = false;
    }
  }

  @ParameterizedTest
  @MethodSource("formatsAndOrders")
  void shouldWriteNothingBehindARecordThatFailed(CaptureFormat format, ByteOrder order) throws Exception {
    FullDisk disk = new FullDisk();
    CaptureWriter writer = CaptureWriter.create(disk, "disk", format, order);
    writer.addInterface("eth0");
    ByteBuf frame = Unpooled.buffer(60, 60).writeZero(60);
    writer.write(0, 1_000, frame, 0, 60);
    writer.flush();
    writer.write(0, 2_000, frame, 0, 60);
    disk.full = true;
    int whole = disk.bytes.size();
    assertThatExceptionOfType(CaptureException.class)
        .isThrownBy(writer::flush)
        .withMessage("disk: offset " + whole + ": cannot be written: java.nio.channels.ClosedByInterruptException");
    disk.full = false;
    int cut = disk.bytes.size();
    assertThatExceptionOfType(CaptureException.class)
        .isThrownBy(() -> writer.write(0, 3_000, frame, 0, 60))
        .withMessage(
            "disk: offset " + whole + ": cannot be written: the record before failed, the file ends inside it");
    writer.close();
    assertThat(disk.bytes.size()).isEqualTo(cut);
    assertThat(CaptureBytes.read(disk.bytes.toByteArray())).extracting(Packet::timestampNs).containsExactly(1_000L);
  }

  @ParameterizedTest
  @MethodSource("formatsAndOrders")
  void shouldTakeNothingAfterClosing(CaptureFormat format, ByteOrder order) throws Exception {
    CaptureWriter writer =
        CaptureWriter.create(Channels.newChannel(new ByteArrayOutputStream()), "memory", format, order);
    writer.addInterface("eth0");
    writer.close();
    writer.close();
    ByteBuf frame = Unpooled.buffer(60, 60).writeZero(60);
    assertThatExceptionOfType(CaptureException.class)
        .isThrownBy(() -> writer.write(0, 1_000, frame, 0, 60))
        .withMessageEndingWith("cannot be written: the file was closed");
  }

  @Test
  void shouldCopyAppended() throws Exception {
    Path file = directory.resolve("a.pcapng");
    Files.write(file, CaptureBytes.write(CaptureFormat.PCAPNG, ByteOrder.LITTLE_ENDIAN, List.of(SHORT_A)));
    try (CaptureReader reader = CaptureReader.open(file)) {
      assertThat(reader.next()).isTrue();
      ByteBuf target = Unpooled.buffer().writeZero(3);
      reader.copyTo(target);
      assertThat(target.writerIndex()).isEqualTo(3 + SHORT_A.wireLength());
      assertThat(reader.buffer().getByte(5)).isEqualTo(target.getByte(8));
    }
  }

  static void assertRefused(byte[] file, String problem) {
    assertThatExceptionOfType(CaptureException.class)
        .isThrownBy(() -> CaptureBytes.reader(file))
        .withMessage("memory: offset 0: " + problem);
  }

  /** The packets before the fault are delivered, then the exception comes once. */
  static void assertFailsAfter(byte[] file, int packets, String problem) throws CaptureException {
    try (CaptureReader reader = CaptureBytes.reader(file)) {
      for (int i = 0; i < packets; i++) {
        assertThat(reader.next()).isTrue();
      }
      assertThatExceptionOfType(CaptureException.class)
          .isThrownBy(reader::next)
          .withMessageStartingWith("memory: " + problem);
      assertThat(reader.next()).isFalse();
    }
  }
}

package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.pcap.CaptureBytes.Packet;
import java.math.BigDecimal;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The same files through other people's readers and writers, where they are installed. */
class OtherReadersTest {
  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(CaptureFormat.class)
  void shouldBeReadByTshark(CaptureFormat format) throws Exception {
    assumeInstalled("tshark", "--version");
    List<Packet> packets = CaptureBytes.samples(format);
    Path file = write(format, packets);
    VethPair.Result result =
        run("tshark", "-r", file.toString(), "-T", "fields", "-E", "separator=|", "-e", "frame.time_epoch", "-e",
            "frame.len", "-e", "frame.cap_len", "-e", "frame.interface_name", "-e", "frame.comment");
    String[] lines = result.output().lines().filter(line -> line.contains("|")).toArray(String[]::new);
    assertThat(lines).hasSameSizeAs(packets);
    for (int i = 0; i < lines.length; i++) {
      Packet packet = packets.get(i);
      String[] fields = lines[i].split("\\|", -1);
      assertThat(new BigDecimal(fields[0]).movePointRight(9).longValueExact()).isEqualTo(packet.timestampNs());
      assertThat(fields[1]).isEqualTo(String.valueOf(packet.wireLength()));
      assertThat(fields[2]).isEqualTo(String.valueOf(packet.bytes().length() / 2));
      if (format == CaptureFormat.PCAPNG) {
        assertThat(fields[3]).isEqualTo(packet.interfaceId() == 0 ? "eth0" : "wan-é");
        assertThat(fields[4]).isEqualTo(packet.comment());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(CaptureFormat.class)
  void shouldSurviveARewriteByTcpdump(CaptureFormat format) throws Exception {
    assumeInstalled("tcpdump", "--version");
    List<Packet> packets = CaptureBytes.samples(format);
    Path file = write(format, packets);
    Path copy = directory.resolve("copy.pcap");
    run("tcpdump", "-r", file.toString(), "-w", copy.toString(), "--time-stamp-precision=nano");
    List<Packet> read = CaptureBytes.read(Files.readAllBytes(copy));
    assertThat(read).hasSameSizeAs(packets);
    for (int i = 0; i < read.size(); i++) {
      Packet packet = packets.get(i);
      assertThat(read.get(i))
          .isEqualTo(new Packet(packet.timestampNs(), 0, packet.wireLength(), packet.bytes(), ""));
    }
  }

  @ParameterizedTest
  @CsvSource({"pcap", "nsecpcap", "pcapng"})
  void shouldReadWhatEditcapWrites(String kind) throws Exception {
    assumeInstalled("editcap", "--version");
    List<Packet> packets = CaptureBytes.samples(CaptureFormat.PCAP_MICROSECONDS);
    Path file = write(CaptureFormat.PCAP_MICROSECONDS, packets);
    Path copy = directory.resolve("copy." + kind);
    VethPair.Result result = run("editcap", "-F", kind, file.toString(), copy.toString());
    assertThat(result.status()).as(result.output()).isZero();
    assertThat(CaptureBytes.read(Files.readAllBytes(copy))).isEqualTo(packets);
  }

  @Test
  void shouldBeReadByTsharkInBigEndian() throws Exception {
    assumeInstalled("tshark", "--version");
    Path file = directory.resolve("big.pcapng");
    List<Packet> packets = CaptureBytes.samples(CaptureFormat.PCAPNG);
    Files.write(file, CaptureBytes.write(CaptureFormat.PCAPNG, ByteOrder.BIG_ENDIAN, packets));
    VethPair.Result result = run("tshark", "-r", file.toString(), "-T", "fields", "-e", "frame.len");
    assertThat(result.output().lines().filter(line -> line.matches("[0-9]+")))
        .containsExactlyElementsOf(packets.stream().map(packet -> String.valueOf(packet.wireLength())).toList());
  }

  private Path write(CaptureFormat format, List<Packet> packets) throws Exception {
    Path file = directory.resolve("own." + format);
    try (CaptureWriter writer = CaptureWriter.create(file, format)) {
      CaptureBytes.write(writer, format, packets);
    }
    return file;
  }

  private static VethPair.Result run(String... command) {
    return VethPair.run(command);
  }

  private static void assumeInstalled(String... command) {
    assumeTrue(run(command).status() == 0, command[0] + " is not installed");
  }
}

package io.lb4j.examples.replay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.CommandRun;
import io.lb4j.pcap.CaptureReader;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Captures made here, through {@code lb replay}. */
class ReplayTest {
  private static final Path DSR = Path.of("configs/dsr.yaml");

  @TempDir private Path directory;
  private final List<byte[]> frames = new ArrayList<>();
  private Path capture;

  @BeforeEach
  void writeCapture() throws IOException {
    frames.add(Frames.arp(30, 10));
    for (int i = 0; i < 60; i++) {
      frames.add(Frames.syn(i + 1, 40_000 + i, i % 10 == 9 ? 81 : 80));
    }
    capture = Frames.write(directory.resolve("in.pcap"), frames);
  }

  private static Map<?, ?> json(CommandRun run) {
    assertEquals(0, run.exit(), run.err());
    return new Yaml(new SafeConstructor(new LoaderOptions())).load(run.out());
  }

  @Test
  void shouldCountEveryFrameOnce() {
    Map<?, ?> report = json(CommandRun.lb("replay", DSR, "--in", "eth0=" + capture, "--json"));
    Map<?, ?> verdicts = (Map<?, ?>) report.get("verdicts");
    assertEquals(61, report.get("received"));
    assertEquals(Boolean.TRUE, report.get("law"));
    assertEquals(54, verdicts.get("FORWARD"));
    assertEquals(1, verdicts.get("ANSWER"));
    assertEquals(6, verdicts.get("NO_SERVICE"));
    assertEquals(55, report.get("transmitted"));
    Map<?, ?> service = (Map<?, ?>) ((List<?>) report.get("services")).get(0);
    assertEquals("web", service.get("name"));
    List<?> servers = (List<?>) service.get("servers");
    assertEquals(54, servers.stream().mapToInt(s -> (Integer) ((Map<?, ?>) s).get("newFlows")).sum());
    assertEquals(54, servers.stream().mapToInt(s -> (Integer) ((Map<?, ?>) s).get("frames")).sum());
    assertEquals(36, ((Map<?, ?>) servers.get(0)).get("newFlows"));
  }

  @Test
  void shouldChangeNothingButMacAddresses() throws IOException {
    Path out = directory.resolve("out.pcapng");
    CommandRun run = CommandRun.lb("replay", DSR, "--in", "eth0=" + capture, "--out", "eth0=" + out);
    assertEquals(0, run.exit(), run.err());
    List<byte[]> forwarded = frames.stream().skip(1).filter(f -> f[37] == 80).toList();
    try (CaptureReader reader = CaptureReader.open(out)) {
      assertTrue(reader.next(), "the answer to ARP");
      assertEquals(Frames.START_NS, reader.timestampNs());
      for (byte[] frame : forwarded) {
        assertTrue(reader.next());
        byte[] sent = ByteBufUtil.getBytes(reader.buffer(), 0, reader.capturedLength());
        assertArrayEquals(Arrays.copyOfRange(frame, 12, frame.length), Arrays.copyOfRange(sent, 12, sent.length));
        assertArrayEquals(new byte[] {2, 0, 0, 0, 0, 1}, Arrays.copyOfRange(sent, 6, 12));
        assertEquals(0x20, sent[5] & 0xF0);
      }
      assertTrue(!reader.next());
    }
  }

  @Test
  void shouldGiveTheSameBytesTwice() throws IOException {
    byte[][][] results = new byte[2][][];
    for (int i = 0; i < 2; i++) {
      Path out = directory.resolve("out" + i + ".pcap");
      Path trace = directory.resolve("trace" + i);
      CommandRun run = CommandRun.lb("replay", DSR, "--announce", "--in", "eth0=" + capture, "--out", "eth0=" + out,
          "--trace", trace);
      assertEquals(0, run.exit(), run.err());
      results[i] = new byte[][] {Files.readAllBytes(out), Files.readAllBytes(trace), run.out().getBytes()};
    }
    for (int part = 0; part < 3; part++) {
      assertArrayEquals(results[0][part], results[1][part]);
    }
  }

  @Test
  void shouldTraceEveryFrame() throws IOException {
    Path out = directory.resolve("out.pcap");
    Path trace = directory.resolve("trace.tsv");
    CommandRun.lb("replay", DSR, "--in", "eth0=" + capture, "--out", "eth0=" + out, "--trace", trace);
    List<String> lines = Files.readAllLines(trace);
    assertEquals(61, lines.size());
    assertEquals("1\teth0\t1\tANSWER\t-\teth0\t1", lines.get(0));
    assertTrue(lines.get(1).matches("2\teth0\t2\tFORWARD\tweb/rs[12]\teth0\t2"), lines.get(1));
    assertEquals("11\teth0\t11\tDROP\tNO_SERVICE\t-\t-", lines.get(10));
    assertEquals("12\teth0\t12\tFORWARD", lines.get(11).substring(0, 18));
  }

  @Test
  void shouldWaitForHeldFrames() throws IOException {
    Frames.write(capture, List.of(Frames.laterFragment(1), Frames.syn(2, 4000, 80), Frames.laterFragment(3)));
    Path trace = directory.resolve("trace.tsv");
    Map<?, ?> report = json(CommandRun.lb("replay", DSR, "--in", "eth0=" + capture, "--trace", trace, "--json"));
    assertEquals(Map.of("FORWARD", 1, "CLOSED_WHILE_HELD", 2), report.get("verdicts"));
    List<String> lines = Files.readAllLines(trace);
    assertEquals("1\teth0\t1\tDROP\tCLOSED_WHILE_HELD\t-\t-", lines.get(0));
    assertTrue(lines.get(1).startsWith("2\teth0\t2\tFORWARD\tweb/rs1\teth0\t-"), lines.get(1));
    assertEquals("3\teth0\t3\tDROP\tCLOSED_WHILE_HELD\t-\t-", lines.get(2));
  }

  @Test
  void shouldMergeByTimeThenByOrder() throws IOException {
    Path second = Frames.write(directory.resolve("second.pcap"), frames.subList(1, 3));
    Path trace = directory.resolve("trace.tsv");
    CommandRun run =
        CommandRun.lb("replay", "--in", "eth0=" + second, "eth0=" + capture, "--trace", trace, DSR);
    assertEquals(0, run.exit(), run.err());
    List<String> lines = Files.readAllLines(trace);
    assertTrue(lines.get(0).startsWith("1\teth0\t1\tFORWARD"), lines.get(0));
    assertTrue(lines.get(1).startsWith("2\teth0\t1\tANSWER"), lines.get(1));
    assertTrue(lines.get(4).startsWith("5\teth0\t3"), lines.get(4));
  }

  @Test
  void shouldLearnNeighborsElseMakeThemUp() throws IOException {
    String text = Files.readString(DSR).replaceAll("(?m)^  192.0.2.2[12]: .*\n", "");
    Path config = Files.writeString(directory.resolve("learn.yaml"), text);
    frames.add(0, Frames.arp(21, 1));
    Frames.write(capture, frames);
    Path out = directory.resolve("out.pcap");
    CommandRun run = CommandRun.lb("replay", config, "--in", "eth0=" + capture, "--out", "eth0=" + out);
    assertEquals(0, run.exit(), run.err());
    assertTrue(run.err().contains("192.0.2.22") && run.err().contains("02:00:5e:00:02:16"), run.err());
    assertTrue(!run.err().contains("192.0.2.21"), run.err());
    List<String> macs = new ArrayList<>();
    try (CaptureReader reader = CaptureReader.open(out)) {
      while (reader.next()) {
        macs.add(ByteBufUtil.hexDump(reader.buffer(), 0, 6));
      }
    }
    assertTrue(macs.contains("02aa00000015") && macs.contains("02005e000216"), macs.toString());
  }

  @Test
  void shouldEndDamagedCapturesWithoutFailure() throws IOException {
    byte[] whole = Files.readAllBytes(capture);
    Path damaged = directory.resolve("damaged.pcap");
    Path config = Files.writeString(
        directory.resolve("small.yaml"), Files.readString(DSR) + "flow-table: {capacity: 4096}\n");
    for (int seed = 0; seed < 400; seed++) {
      Random random = new Random(seed);
      byte[] bytes = Arrays.copyOf(whole, seed % 2 == 0 ? whole.length : random.nextInt(whole.length));
      for (int flips = seed % 4 == 1 ? 0 : 1 + random.nextInt(40); flips > 0 && bytes.length > 0; flips--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(damaged, bytes);
      CommandRun run = CommandRun.lb("replay", config, "--in", "eth0=" + damaged, "--json");
      assertTrue(run.exit() == 0 || run.exit() == 2, "seed " + seed + ": " + run.exit() + run.err() + run.out());
      assertTrue(!run.err().contains("internal error"), "seed " + seed + ": " + run.err());
      assertTrue(run.exit() == 0 || run.err().lines().count() == 1, "seed " + seed + ": " + run.err());
    }
  }

  @Test
  void shouldRefuseWhatCannotBe() {
    String in = "eth0=" + capture;
    assertEquals(2, CommandRun.lb("replay", DSR).exit());
    assertEquals(2, CommandRun.lb("replay", DSR, "--in", "eth9=" + capture).exit());
    assertEquals(2, CommandRun.lb("replay", DSR, "--in", "eth0").exit());
    assertEquals(2, CommandRun.lb("replay", DSR, "--in", "eth0=" + directory.resolve("none.pcap")).exit());
    assertEquals(2, CommandRun.lb("replay", DSR, "--in", in, "--out", in).exit());
    assertEquals(2, CommandRun.lb("replay", DSR, "--in", "eth0=" + DSR).exit());
    assertEquals(2, CommandRun.lb("nothing").exit());
    assertEquals(0, CommandRun.lb("replay", "--help").exit());
  }

  @Test
  void shouldNotWriteOverTheConfiguration() throws IOException {
    Path file = Files.copy(DSR, directory.resolve("lb.yaml"));
    Path link = Files.createSymbolicLink(directory.resolve("link.pcap"), file);
    String in = "eth0=" + capture;
    assertEquals(2, CommandRun.lb("replay", file, "--in", in, "--trace", file).exit());
    assertEquals(2, CommandRun.lb("replay", file, "--in", in, "--out", "eth0=" + link).exit());
    assertEquals(Files.readString(DSR), Files.readString(file));
  }

  /** Of two interfaces in one file, which was named in two ways. */
  @Test
  void shouldWriteAFileOfTwoNamesOnce() throws IOException {
    Path inner = Files.createDirectory(directory.resolve("inner"));
    Path other = Files.createSymbolicLink(directory.resolve("other"), inner);
    Path config = Path.of("configs/gateway.yaml");
    Path[] pairs = {inner.resolve("out.pcapng"), other.resolve("out.pcapng")};
    List<byte[]> written = new ArrayList<>();
    for (Path second : pairs) {
      CommandRun run = CommandRun.lb("replay", config, "--announce", "--in", "eth0=" + capture,
          "--out", "eth0=" + pairs[0], "--out", "eth1=" + second);
      assertEquals(0, run.exit(), run.err());
      written.add(Files.readAllBytes(pairs[0]));
    }
    assertArrayEquals(written.get(0), written.get(1));
  }
}

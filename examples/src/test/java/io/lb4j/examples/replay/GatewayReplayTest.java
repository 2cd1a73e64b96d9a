package io.lb4j.examples.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.CommandRun;
import io.lb4j.pcap.CaptureFormat;
import io.lb4j.pcap.CaptureReader;
import io.lb4j.pcap.CaptureWriter;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Both sides of a gateway as two capture files, through {@code lb replay}. */
class GatewayReplayTest {
  private static final String CONFIGURATION =
      """
      interfaces:
        - {name: eth0, mac: "02:00:00:00:00:04", addresses: [198.51.100.5/24, "2001:db8:c::5/64"]}
        - {name: eth1, mac: "02:00:00:00:00:05", addresses: [192.0.2.5/24, "2001:db8:5::5/64"]}
      routes: [{to: 0.0.0.0/0, via: 198.51.100.1}, {to: "::/0", via: "2001:db8:c::1"}]
      neighbors: {198.51.100.1: "02:00:00:00:00:01", "2001:db8:c::1": "02:00:00:00:00:01"}
      outbound: [{from: 192.0.2.0/24, nat: 198.51.100.200}, {from: "2001:db8:5::/64", nat: "2001:db8:c::200"}]
      flow-table: {capacity: 4096}
      services:
        - name: web4
          vip: 198.51.100.100
          port: 80
          protocol: tcp
          mode: gateway
          servers: [{name: s1, address: 192.0.2.11, port: 8080}]
        - name: web6
          vip: "2001:db8:c::100"
          port: 80
          protocol: tcp
          mode: gateway
          servers: [{name: s1, address: "2001:db8:5::11", port: 8080}]
      """;

  private static final String CLIENT_SIDE = "02:00:00:00:00:04";
  private static final String SERVER_SIDE = "02:00:00:00:00:05";
  private static final String ROUTER = "02:00:00:00:00:01";
  private static final String SERVER1 = "02:00:00:00:00:11";
  private static final String SERVER2 = "02:00:00:00:00:12";
  private static final String CLIENT = "02:00:00:00:00:77";
  private static final int SYN_ACK = TcpHeader.SYN | TcpHeader.ACK;

  @TempDir private Path directory;
  private Path configuration;

  /** A frame of a capture file. */
  private record Captured(long atNs, byte[] frame) {}

  /** A family's addresses: somebody behind the router, a client on the link, and who else takes part. */
  private enum Family {
    IPV4("web4", "203.0.113.9", "198.51.100.77", "198.51.100.88", "198.51.100.100", "198.51.100.200", "192.0.2.11",
        "192.0.2.12"),
    IPV6("web6", "2001:db8:f::9", "2001:db8:c::77", "2001:db8:c::88", "2001:db8:c::100", "2001:db8:c::200",
        "2001:db8:5::11", "2001:db8:5::12");

    private final String service;
    private final String far;
    private final String near;
    private final String silent;
    private final String vip;
    private final String pool;
    private final String server1;
    private final String server2;

    Family(String service, String far, String near, String silent, String vip, String pool, String server1,
        String server2) {
      this.service = service;
      this.far = far;
      this.near = near;
      this.silent = silent;
      this.vip = vip;
      this.pool = pool;
      this.server1 = server1;
      this.server2 = server2;
    }
  }

  private static byte[] bytes(FrameBuilder builder) {
    ByteBuf frame = builder.build();
    try {
      return ByteBufUtil.getBytes(frame);
    } finally {
      frame.release();
    }
  }

  private Path write(String name, List<Captured> frames) throws IOException {
    Path file = directory.resolve(name);
    try (CaptureWriter writer = CaptureWriter.create(file, CaptureFormat.PCAP_NANOSECONDS)) {
      int id = writer.addInterface("any");
      for (Captured captured : frames) {
        ByteBuf frame = Unpooled.wrappedBuffer(captured.frame());
        writer.write(id, Frames.START_NS + captured.atNs(), frame, 0, captured.frame().length);
      }
    }
    return file;
  }

  private static List<byte[]> read(Path file) throws IOException {
    List<byte[]> frames = new ArrayList<>();
    try (CaptureReader reader = CaptureReader.open(file)) {
      while (reader.next()) {
        frames.add(ByteBufUtil.getBytes(reader.buffer(), 0, reader.capturedLength()));
      }
    }
    return frames;
  }

  private CommandRun replay(List<Captured> eth0, List<Captured> eth1, Object... more) throws IOException {
    configuration = Files.writeString(directory.resolve("lb.yaml"), CONFIGURATION);
    List<Object> arguments = new ArrayList<>(List.of("replay", configuration,
        "--in", "eth0=" + write("in0.pcap", eth0), "--in", "eth1=" + write("in1.pcap", eth1),
        "--out", "eth0=" + directory.resolve("out0.pcap"), "--out", "eth1=" + directory.resolve("out1.pcap"),
        "--trace", directory.resolve("trace.tsv")));
    arguments.addAll(Arrays.asList(more));
    CommandRun run = CommandRun.lb(arguments.toArray());
    assertEquals(0, run.exit(), run.err());
    return run;
  }

  private static void assertFrames(List<byte[]> expected, List<byte[]> seen) {
    assertEquals(
        expected.stream().map(ByteBufUtil::hexDump).toList(), seen.stream().map(ByteBufUtil::hexDump).toList());
  }

  /** A connection of a client behind the router, and one of a client on the link whose MAC address is learned. */
  @ParameterizedTest
  @EnumSource
  void shouldTranslateBothDirections(Family f) throws IOException {
    List<Captured> eth0 = new ArrayList<>();
    List<Captured> eth1 = new ArrayList<>();
    List<byte[]> out0 = new ArrayList<>();
    List<byte[]> out1 = new ArrayList<>();
    long atNs = 0;
    for (String client : List.of(f.far, f.near)) {
      String mac = client.equals(f.far) ? ROUTER : CLIENT;
      eth0.add(new Captured(atNs, bytes(
          FrameBuilder.from(client, f.vip).macs(CLIENT_SIDE, mac).tcp(40_000, 80, TcpHeader.SYN))));
      out1.add(bytes(FrameBuilder.from(client, f.server1).macs(SERVER1, SERVER_SIDE).timeToLive(63)
          .tcp(40_000, 8080, TcpHeader.SYN)));
      eth1.add(new Captured(atNs + 1_000, bytes(
          FrameBuilder.from(f.server1, client).macs(SERVER_SIDE, SERVER1).tcp(8080, 40_000, SYN_ACK).numbers(7, 2))));
      out0.add(bytes(FrameBuilder.from(f.vip, client).macs(mac, CLIENT_SIDE).timeToLive(63)
          .tcp(80, 40_000, SYN_ACK).numbers(7, 2)));
      atNs += 1_000_000;
    }
    CommandRun run = replay(eth0, eth1);
    assertFalse(run.err().contains(f.server1 + ":") || run.err().contains(f.near + ":"), run.err());
    assertFrames(out0, read(directory.resolve("out0.pcap")));
    assertFrames(out1, read(directory.resolve("out1.pcap")));
    assertEquals(
        List.of(
            "1\teth0\t1\tFORWARD\t" + f.service + "/s1\teth1\t1",
            "2\teth1\t1\tFORWARD\t" + f.service + "/s1\teth0\t1",
            "3\teth0\t2\tFORWARD\t" + f.service + "/s1\teth1\t2",
            "4\teth1\t2\tFORWARD\t" + f.service + "/s1\teth0\t2"),
        Files.readAllLines(directory.resolve("trace.tsv")));
  }

  /** A server asks somebody outside; a stranger and somebody who was not asked get nothing through. */
  @ParameterizedTest
  @EnumSource
  void shouldTranslateWhatServersStart(Family f) throws IOException {
    byte[] stranger =
        bytes(FrameBuilder.from(f.near, f.pool).macs(CLIENT_SIDE, CLIENT).udp(53, 5353).payload((byte) 3));
    List<Captured> eth0 = List.of(
        new Captured(1_000, bytes(
            FrameBuilder.from(f.far, f.pool).macs(CLIENT_SIDE, ROUTER).udp(53, 5353).payload((byte) 2))),
        new Captured(2_000, stranger));
    List<Captured> eth1 = List.of(
        new Captured(0, bytes(
            FrameBuilder.from(f.server2, f.far).macs(SERVER_SIDE, SERVER2).udp(5353, 53).payload((byte) 1))),
        new Captured(3_000, bytes(
            FrameBuilder.from("203.0.113.8", "203.0.113.9").macs(SERVER_SIDE, SERVER2).udp(1, 2))));
    replay(eth0, eth1);
    assertFrames(
        List.of(bytes(FrameBuilder.from(f.pool, f.far).macs(ROUTER, CLIENT_SIDE).timeToLive(63).udp(5353, 53)
            .payload((byte) 1))),
        read(directory.resolve("out0.pcap")).subList(0, 1));
    assertFrames(
        List.of(bytes(FrameBuilder.from(f.far, f.server2).macs(SERVER2, SERVER_SIDE).timeToLive(63).udp(53, 5353)
            .payload((byte) 2))),
        read(directory.resolve("out1.pcap")));
    List<String> trace = Files.readAllLines(directory.resolve("trace.tsv"));
    assertEquals("1\teth1\t1\tFORWARD\t-\teth0\t1", trace.get(0));
    assertEquals("2\teth0\t1\tFORWARD\t-\teth1\t1", trace.get(1));
    assertEquals("3\teth0\t2\tDROP\tFILTERED\t-\t-", trace.get(2));
    assertEquals("4\teth1\t2\tDROP\tNOT_ROUTED\t-\t-", trace.get(3));
  }

  /** Somebody on the link who never says anything still has to be sent to. */
  @ParameterizedTest
  @EnumSource
  void shouldMakeUpTheMacOfASilentNeighbor(Family f) throws IOException {
    List<Captured> eth1 = List.of(new Captured(0, bytes(
        FrameBuilder.from(f.server2, f.silent).macs(SERVER_SIDE, SERVER2).udp(5353, 53))));
    CommandRun run = replay(List.of(), eth1);
    assertTrue(run.err().contains(f.silent) && run.err().contains("02:00:5e:"), run.err());
    assertFalse(run.err().contains(f.server2), run.err());
    List<byte[]> sent = read(directory.resolve("out0.pcap"));
    assertEquals(1, sent.size());
    assertEquals("02005e", ByteBufUtil.hexDump(sent.get(0), 0, 3));
  }

  @Test
  void shouldCountFramesOfEachInterface() throws IOException {
    Family f = Family.IPV4;
    List<Captured> eth0 = List.of(new Captured(0, bytes(
        FrameBuilder.from(f.far, f.vip).macs(CLIENT_SIDE, ROUTER).tcp(40_000, 80, TcpHeader.SYN))));
    List<Captured> eth1 = List.of(new Captured(1_000, bytes(
        FrameBuilder.from(f.server1, f.far).macs(SERVER_SIDE, SERVER1).tcp(8080, 40_000, SYN_ACK).numbers(7, 2))));
    CommandRun run = replay(eth0, eth1, "--json");
    Map<String, Object> report = new Yaml(new SafeConstructor(new LoaderOptions())).load(run.out());
    assertEquals(true, report.get("law"));
    assertEquals(Map.of("FORWARD", 2), report.get("verdicts"));
    for (Object link : (List<?>) report.get("interfaces")) {
      assertEquals(1, ((Map<?, ?>) link).get("received"), link.toString());
      assertEquals(1, ((Map<?, ?>) link).get("transmitted"), link.toString());
    }
  }

  /** All kinds of packets of both sides, damaged at random: every frame ends in a verdict, and none in an exception. */
  @Test
  void shouldEndDamagedFramesInVerdicts() throws IOException {
    configuration = Files.writeString(directory.resolve("lb.yaml"), CONFIGURATION);
    List<Captured> eth0 = new ArrayList<>();
    List<Captured> eth1 = new ArrayList<>();
    for (Family f : Family.values()) {
      addTraffic(f, eth0, eth1);
    }
    for (int seed = 0; seed < 80; seed++) {
      Random random = new Random(seed);
      Path in0 = write("fuzz0.pcap", damaged(eth0, random));
      Path in1 = write("fuzz1.pcap", damaged(eth1, random));
      CommandRun run = CommandRun.lb("replay", configuration, "--in", "eth0=" + in0, "--in", "eth1=" + in1);
      assertEquals(0, run.exit(), "seed " + seed + ": " + run.err() + run.out());
    }
  }

  private static void addTraffic(Family f, List<Captured> eth0, List<Captured> eth1) {
    boolean six = f == Family.IPV6;
    long atNs = eth0.size() * 1_000L;
    for (int port = 40_000; port < 40_004; port++) {
      FrameBuilder syn = FrameBuilder.from(f.far, f.vip).macs(CLIENT_SIDE, ROUTER).tcp(port, 80, TcpHeader.SYN);
      byte[] answer = bytes(FrameBuilder.from(f.server1, f.far).macs(SERVER_SIDE, SERVER1).tcp(8080, port, SYN_ACK));
      byte[] quote = Arrays.copyOfRange(answer, 14, answer.length);
      byte[] rest = new byte[4 + quote.length];
      System.arraycopy(bytes(FrameBuilder.from(f.vip, f.far).tcp(80, port, SYN_ACK)), 14, rest, 4, quote.length);
      eth0.add(new Captured(atNs, bytes(syn)));
      eth1.add(new Captured(atNs + 100, answer));
      eth0.add(new Captured(atNs + 200, bytes(FrameBuilder.from(f.near, f.vip).macs(CLIENT_SIDE, ROUTER)
          .icmp(six ? 2 : 3, six ? 0 : 4, rest))));
      eth1.add(new Captured(atNs + 300, bytes(FrameBuilder.from(f.server2, f.far).macs(SERVER_SIDE, SERVER2)
          .udp(port, 53).payload(new byte[40]))));
      eth0.add(new Captured(atNs + 400, bytes(FrameBuilder.from(f.far, f.pool).macs(CLIENT_SIDE, ROUTER)
          .udp(53, port).payload(new byte[40]))));
      eth1.add(new Captured(atNs + 500, bytes(FrameBuilder.from(f.server2, f.far).macs(SERVER_SIDE, SERVER2)
          .icmp(six ? 128 : 8, 0, new byte[] {0, 7, 0, 1, 1, 2, 3, 4}))));
      eth1.add(new Captured(atNs + 600, bytes(FrameBuilder.from(f.server2, f.pool).macs(SERVER_SIDE, SERVER2)
          .udp(7, port).payload((byte) 1))));
      eth1.add(new Captured(atNs + 700, bytes(FrameBuilder.from(f.server2, f.far).macs(SERVER_SIDE, SERVER2)
          .udp(port, 9).payload(new byte[64]).fragment(port, 0, true))));
      eth1.add(new Captured(atNs + 800, bytes(FrameBuilder.from(f.server2, f.far).macs(SERVER_SIDE, SERVER2)
          .udp(port, 9).payload(new byte[64]).fragment(port, 64, false))));
      eth0.add(new Captured(atNs + 900, bytes(FrameBuilder.from(f.far, f.pool).macs(CLIENT_SIDE, ROUTER)
          .udp(9, port).payload(new byte[64]).fragment(port, 64, false))));
      atNs += 1_000;
    }
  }

  /** Some frames with flipped bits, some cut off; the link layer stays, so that frames get far. */
  private static List<Captured> damaged(List<Captured> frames, Random random) {
    List<Captured> result = new ArrayList<>();
    for (Captured whole : frames) {
      int length = random.nextInt(20) == 0 ? 14 + random.nextInt(whole.frame().length - 14) : whole.frame().length;
      byte[] frame = Arrays.copyOf(whole.frame(), length);
      for (int flips = random.nextInt(4) - 1; flips > 0 && length > 14; flips--) {
        frame[14 + random.nextInt(length - 14)] ^= (byte) (1 << random.nextInt(8));
      }
      result.add(new Captured(whole.atNs(), frame));
    }
    return result;
  }
}

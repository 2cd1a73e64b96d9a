package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.pcap.live.LiveIo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code lb run} under a kernel that has no memory for rings: seccomp(2) answers ENOMEM where one is asked for, as the
 * kernel does when it has none. Needs root.
 */
@Tag("root")
@Timeout(120)
final class ShortOfMemoryLabTest {
  private static final int PORT = 80;
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  /** Which setsockopt(2) it refuses: level, option, and length of the value, 0 for any. Then the program to start. */
  private static final String REFUSE =
      """
      import ctypes, os, platform, struct, sys
      level, option, length = (int(word) for word in sys.argv[1:4])
      setsockopt = 54 if platform.machine() == 'x86_64' else 208
      wanted = [(0, setsockopt), (24, level), (32, option)] + ([(48, length)] if length else [])
      code = b''
      for i, (place, value) in enumerate(wanted):
          code += struct.pack('HBBI', 0x20, 0, 0, place)
          code += struct.pack('HBBI', 0x15, 0, 2 * (len(wanted) - i - 1) + 1, value)
      code += struct.pack('HBBI', 0x06, 0, 0, 0x50000 | 12) + struct.pack('HBBI', 0x06, 0, 0, 0x7fff0000)
      room = ctypes.create_string_buffer(code, len(code))
      program = struct.pack('HxxxxxxQ', len(code) // 8, ctypes.addressof(room))
      if ctypes.CDLL(None, use_errno=True).prctl(22, 2, program, 0, 0) != 0:
          sys.exit('prctl: errno %d' % ctypes.get_errno())
      os.execvp(sys.argv[4], sys.argv[4:])
      """;

  private static final String PACKET_RING = "263 5 0";
  private static final String PACKET_RING_OF_SLOTS = "263 5 16"; // libpcap always says 28

  private static LabFixture fixture;

  @BeforeAll
  static void up() {
    fixture = LabFixture.up(new LabIo(LiveIo.PCAP), LabTopology.DIRECT, 1, "nginx", "curl", "nft", "python3");
  }

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private static LabProcess start(String refused, LiveIo io, String latency) throws IOException {
    String text = new BalancerConfiguration().io(new LabIo(io)).service("web", "tcp", PORT, "rr", "", 1).text()
        .replace("    io: ", "    latency: " + latency + "\n    io: ");
    Path file = Files.writeString(fixture.lab.directory().resolve("lb.yaml"), text);
    List<String> command = new ArrayList<>(List.of("python3", "-c", REFUSE));
    command.addAll(List.of(refused.split(" ")));
    command.addAll(LabProcess.java("io.lb4j.examples.Lb"));
    command.addAll(List.of("run", file.toString(), "--interval", "200ms", "--control", "none", "--shield"));
    return fixture.lab.spawn("lb", "balancer", command);
  }

  /** A lab beside this one may remove a namespace while `ip` looks for a name to it, which it says and goes on. */
  private static String ofTheHost() {
    String flags = fixture.lab.must("lb", "ip", "-d", "-o", "link", "show", "eth0")
        .replace("Error: Peer netns reference is invalid.\n", "");
    String groups = fixture.lab.must("lb", "ip", "-o", "maddr", "show", "dev", "eth0");
    return flags + groups + fixture.lab.must("lb", "nft", "list", "tables");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "PACKET | low  | 263 5 0 | PACKET_RX_RING     | not even of 524288: free memory, or use fewer queues",
      "PACKET | bulk | 263 5 0 | PACKET_RX_RING     | not even of 524288: free memory, or use fewer queues",
      "XDP    | auto | 283 5 0 | XDP_UMEM_FILL_RING | free memory, or choose smaller rings or fewer queues",
      "XDP    | auto | 283 4 0 | XDP_UMEM_REG       | raise it with LimitMEMLOCK=infinity",
  })
  void shouldEndWithOneMessageAndLeaveNothing(LiveIo io, String latency, String refused, String call, String remedy)
      throws IOException {
    String before = ofTheHost();
    String said = ended(start(refused, io, latency));
    assertTrue(said.contains("setsockopt(" + call + ")") && said.contains("eth0"), said);
    assertTrue(said.contains("Cannot allocate memory (errno 12); ") && said.contains(remedy), said);
    assertEquals(before, ofTheHost());
  }

  /** What a balancer said last that ended by itself, at once and as for a wrong setting. */
  private static String ended(LabProcess process) {
    assertTrue(process.awaitEnd(PATIENCE), process::output);
    assertEquals(2, process.status(), process::output);
    assertFalse(process.output().contains("\tat "), process::output);
    List<String> said = process.output().lines().filter(line -> line.startsWith("lb run: ")).toList();
    assertEquals(1, said.stream().filter(line -> line.contains("failed")).count(), process::output);
    return said.get(said.size() - 1);
  }

  @Test
  void shouldTakeTheNextWayAndSayWhy() throws IOException {
    LabProcess process = start(PACKET_RING_OF_SLOTS, LiveIo.AUTO, "low");
    assertTrue(process.awaitOutput("balancing", PATIENCE), process::output);
    String said = process.output();
    assertTrue(said.contains("eth0: io pcap: packet does not work here: setsockopt(PACKET_RX_RING) on eth0"), said);
    assertTrue(said.contains("Cannot allocate memory (errno 12); the kernel has no memory for a ring of "), said);
    for (String vip : List.of(Lab.VIP4, "[" + Lab.VIP6 + "]")) {
      Outcome outcome = fixture.lab.exec("cl", "curl", "-sf", "-m", "20", "--retry", "60", "--retry-delay", "1",
          "--retry-all-errors", "--connect-timeout", "1", "http://" + vip + ":" + PORT + "/");
      assertTrue(outcome.output().startsWith("s1 "), () -> outcome.output() + process.output());
    }
    process.close();
  }

  @Test
  void shouldSayOfEachWayWhyItDoesNotWork() throws IOException {
    String before = ofTheHost();
    String said = ended(start(PACKET_RING, LiveIo.AUTO, "auto"));
    assertTrue(said.contains("setsockopt(PACKET_RX_RING) on eth0 failed: Cannot allocate memory"), said);
    assertTrue(said.contains("; nor pcap: pcap_activate(eth0) failed: "), said);
    assertTrue(said.endsWith("the kernel has no memory for a ring of 8388608 bytes: free memory"), said);
    assertEquals(before, ofTheHost());
  }
}

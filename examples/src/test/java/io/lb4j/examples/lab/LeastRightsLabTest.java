package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.pcap.live.LiveIo;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code lb run} as a user who is not root, with no more rights than the documentation says; and short of memory. */
@Tag("root")
@Timeout(120)
final class LeastRightsLabTest {
  private static final String NOBODY = "65534";
  private static final int PORT = 80;
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  private static LabFixture fixture;
  private static String classPath;

  @BeforeAll
  static void up() throws IOException {
    fixture = LabFixture.up(new LabIo(LiveIo.PCAP), LabTopology.DIRECT, 1, "nginx", "curl", "setpriv", "prlimit");
    Files.setPosixFilePermissions(fixture.lab.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    classPath = copyOfClasses();
  }

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  /** Others may not look into root's folders, where the build keeps what it needs. */
  private static String copyOfClasses() {
    List<String> copies = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (Files.exists(Path.of(entry))) {
        String copy = fixture.lab.directory() + "/classes/" + copies.size() + "/";
        fixture.lab.must("lb", "sh", "-c", "mkdir -p " + copy + " && cp -rL " + entry + " " + copy);
        copies.add(copy + Path.of(entry).getFileName());
      }
    }
    fixture.lab.must("lb", "chmod", "-R", "a+rX", fixture.lab.directory() + "/classes");
    return String.join(File.pathSeparator, copies);
  }

  private static LabProcess start(LiveIo io, String rights, String... before) throws IOException {
    BalancerConfiguration configuration =
        new BalancerConfiguration().io(new LabIo(io)).service("web", "tcp", PORT, "rr", "", 1);
    Path file = Files.writeString(fixture.lab.directory().resolve("lb.yaml"), configuration.text());
    List<String> command = new ArrayList<>(List.of(before));
    String all = "-all" + rights;
    Stream.of("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=" + all,
        "--ambient-caps=" + all, "--bounding-set=" + all, System.getProperty("java.home") + "/bin/java",
        "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath,
        "io.lb4j.examples.Lb", "run", file.toString(), "--interval", "200ms", "--control", "none")
        .forEach(command::add);
    return fixture.lab.spawn("lb", "balancer", command);
  }

  private static void assertEnds(LabProcess process, String... words) {
    assertTrue(process.awaitEnd(PATIENCE), process::output);
    assertEquals(2, process.status(), process::output);
    List<String> said = process.output().lines().filter(line -> line.startsWith("lb run: ")).toList();
    String last = said.isEmpty() ? process.output() : said.get(said.size() - 1);
    for (String word : words) {
      assertTrue(last.contains(word), process::output);
    }
    assertFalse(process.output().contains("\tat "), process::output);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "PACKET |          | CAP_NET_RAW   | ,+net_raw",
      "PCAP   |          | CAP_NET_RAW   | ,+net_raw",
      "XDP    | ,+net_raw | CAP_NET_ADMIN | ',+net_raw,+net_admin,+bpf,+ipc_lock'"
  })
  void shouldNeedNoMoreThanTheDocumentedRights(LiveIo io, String few, String missing, String enough)
      throws IOException {
    assertEnds(start(io, few == null ? "" : few), missing, "setpriv", "AmbientCapabilities=");
    LabProcess process = start(io, enough);
    assertTrue(process.awaitOutput("balancing", PATIENCE), process::output);
    for (String vip : List.of(Lab.VIP4, "[" + Lab.VIP6 + "]")) {
      Outcome outcome = fixture.lab.exec("cl", "curl", "-sf", "-m", "20", "--retry", "60", "--retry-delay", "1",
          "--retry-all-errors", "--connect-timeout", "1", "http://" + vip + ":" + PORT + "/");
      assertTrue(outcome.output().startsWith("s1 "), () -> outcome.output() + process.output());
    }
    process.close();
    assertTrue(process.status() >= 0, process::output);
  }

  @Test
  void shouldSayThatTooLittleMemoryMayBeLocked() throws IOException {
    LabProcess process = start(LiveIo.XDP, ",+net_raw,+net_admin,+bpf", "prlimit", "--memlock=65536:65536");
    assertEnds(process, "eth0", "CAP_IPC_LOCK");
  }
}

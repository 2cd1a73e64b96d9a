package io.lb4j.pcap.xdp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.pcap.LivePortFixture;
import io.lb4j.pcap.VethPair;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a process is told that lacks a right or locked memory, each in a JVM of its own. */
@Tag("root")
class XdpPortRightsTest extends LivePortFixture {
  @ParameterizedTest
  @CsvSource({
    "'+net_raw,+net_admin', CAP_BPF",
    "'+net_raw,+bpf', CAP_NET_ADMIN",
    "'+net_raw,+net_admin,+bpf', ''",
    "'+net_admin,+bpf', CAP_NET_RAW",
    "'+net_raw', CAP_NET_ADMIN and CAP_BPF",
  })
  void shouldSayWhichRightIsMissing(String held, String missing) {
    assumeTrue(VethPair.run("setpriv", "--version").status() == 0, "setpriv is not installed");
    String said = probe(List.of("setpriv", "--bounding-set", "-all," + held), 64, pair.left);
    if (missing.isEmpty()) {
      assertThat(said).contains("open");
    } else {
      assertThat(said).contains("NOT_PERMITTED", "Operation not permitted", "the process lacks " + missing + ";");
      assertThat(said).contains("setpriv --reuid lb4j", "+net_admin,+net_raw,+bpf", "AmbientCapabilities=");
    }
  }

  @Test
  void shouldSayThatTheLimitOfLockedMemoryIsTooLow() {
    assertThat(probe(limited(2_000_000), 64, pair.left)).contains("open");
    assertThat(probe(limited(2_000_000), 2048, pair.left))
        .contains("SYSTEM", "XDP_UMEM_REG", "RLIMIT_MEMLOCK", "LimitMEMLOCK=infinity");
    List<String> unlimited = List.of("prlimit", "--memlock=2000000"); // with CAP_IPC_LOCK
    assertThat(probe(unlimited, 2048, pair.left)).contains("open");
  }

  /** Two ports that share their memory lock it once. */
  @Test
  void shouldLockTheMemoryOfTwoPortsOnce() {
    int bytes = 2 * XdpMemory.framesFor(1, 1, 256) * XdpMemory.SMALL_CHUNK;
    assertThat(probe(limited(bytes + bytes / 4), 256, pair.left, pair.right)).contains("open");
    assertThat(probe(limited(bytes - bytes / 4), 256, pair.left, pair.right)).contains("RLIMIT_MEMLOCK");
  }

  /** By a port, and by the memory that two of them share. */
  @ParameterizedTest
  @ValueSource(strings = {"lo", "lo lo"})
  void shouldSayThatNativeAccessIsDenied(String devices) {
    String said = run(List.of(), "--illegal-native-access=deny", 64, devices.split(" "));
    assertThat(said).contains("NOT_SUPPORTED", "--enable-native-access=io.lb4j.pcap").doesNotContain("\tat ");
  }

  private static List<String> limited(int bytes) {
    assumeTrue(VethPair.run("prlimit", "--version").status() == 0, "prlimit is not installed");
    return List.of("prlimit", "--memlock=" + bytes, "setpriv", "--bounding-set", "-all,+net_raw,+net_admin,+bpf");
  }

  private static String probe(List<String> before, int ringSize, String... devices) {
    return run(before, "--enable-native-access=ALL-UNNAMED", ringSize, devices);
  }

  private static String run(List<String> before, String option, int ringSize, String... devices) {
    List<String> command = new ArrayList<>(before);
    command.add(System.getProperty("java.home") + "/bin/java");
    command.addAll(List.of("-XX:TieredStopAtLevel=1", option, "-cp",
        System.getProperty("java.class.path"), XdpOpenProbe.class.getName(), Integer.toString(ringSize), "0"));
    command.addAll(List.of(devices));
    return VethPair.run(command.toArray(String[]::new)).output();
  }
}

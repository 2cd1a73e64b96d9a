package io.lb4j.pcap.packet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lb4j.pcap.VethPair;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a process is told that lacks a right, each in a JVM of its own. */
class PacketPortRightsTest {
  private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

  @Test
  @Tag("root")
  void shouldSayThatTheCapabilityIsMissing() {
    assertThat(probe("-net_raw", NATIVE)).contains("REASON NOT_PERMITTED", "socket(AF_PACKET)", "CAP_NET_RAW");
  }

  @Test
  @Tag("root")
  void shouldOpenWithThatCapabilityAlone() {
    assertThat(probe("-all,+net_raw", NATIVE)).contains("OPENED UP", "JOINED");
  }

  @Test
  void shouldSayThatNativeAccessIsDenied() {
    String output = run(List.of(), "--illegal-native-access=deny", "lo");
    assertThat(output).contains("REASON NOT_SUPPORTED", "--enable-native-access=io.lb4j.pcap");
  }

  private static String probe(String bounds, String option) {
    assumeTrue(VethPair.run("setpriv", "--version").status() == 0, "setpriv is not installed");
    try (VethPair pair = VethPair.create()) {
      return run(List.of("setpriv", "--bounding-set", bounds), option, pair.left);
    }
  }

  private static String run(List<String> before, String option, String device) {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(option, "-cp", System.getProperty("java.class.path"), PacketPortProbe.class.getName(), device));
    return VethPair.run(command.toArray(String[]::new)).output();
  }
}

package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a process is told that lacks a right or the library, each in a JVM of its own. */
class PcapPortRightsTest {
  private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

  @Test
  @Tag("root")
  void shouldSayThatTheCapabilityIsMissing() {
    assumeTrue(VethPair.run("setpriv", "--version").status() == 0, "setpriv is not installed");
    try (VethPair pair = VethPair.create()) {
      String output = probe(List.of("setpriv", "--bounding-set", "-net_raw"), List.of(NATIVE), pair.left);
      assertThat(output).contains("REASON NOT_PERMITTED", "pcap_activate(" + pair.left + ")", "CAP_NET_RAW");
      assertThat(output).contains("CAPTURE true");
    }
  }

  @Test
  @Tag("root")
  void shouldOpenWithThatCapabilityAlone() {
    assumeTrue(VethPair.run("setpriv", "--version").status() == 0, "setpriv is not installed");
    try (VethPair pair = VethPair.create()) {
      String output = probe(List.of("setpriv", "--bounding-set", "-all,+net_raw"), List.of(NATIVE), pair.left);
      assertThat(output).contains("OPENED UP", "JOINED", "PROMISCUOUS UP");
    }
  }

  @Test
  void shouldSayThatTheLibraryIsMissing() {
    String output = probe(List.of(), List.of(NATIVE, "-Dio.lb4j.pcap.library=/none/libpcap.so"), "lo");
    assertThat(output).contains("REASON NOT_SUPPORTED", "/none/libpcap.so", "apt install libpcap0.8", "CAPTURE true");
  }

  @Test
  void shouldSayThatNativeAccessIsDenied() {
    String output = probe(List.of(), List.of("--illegal-native-access=deny"), "lo");
    assertThat(output).contains("REASON NOT_SUPPORTED", "--enable-native-access=io.lb4j.pcap", "CAPTURE true");
  }

  private static String probe(List<String> before, List<String> options, String device) {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), OpenProbe.class.getName(), device));
    return VethPair.run(command.toArray(String[]::new)).output();
  }
}

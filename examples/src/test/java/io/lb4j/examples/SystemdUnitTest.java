package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The systemd unit: its command line is one that the command understands. */
class SystemdUnitTest {
  @Test
  void shouldStartTheCommandAsItIs() throws IOException {
    String start =
        Files.readString(Path.of("systemd", "lb4j.service"))
            .lines()
            .filter(line -> line.startsWith("ExecStart="))
            .findFirst()
            .orElseThrow();
    String[] arguments = start.substring(start.indexOf("lb.jar ") + "lb.jar ".length()).split(" ");
    CommandLine.ParseResult parsed = Lb.commandLine(arguments).parseArgs(arguments).subcommand();
    assertThat(parsed.commandSpec().name()).isEqualTo("run");
    assertThat(parsed.matchedOptionValue("--control", "")).isEqualTo("/run/lb4j/lb4j.sock");
  }

  /** What the unit forbids, and AF_XDP sockets need. */
  @Test
  void shouldAllowMoreWhereItIsAskedFor() throws IOException {
    String unit = Files.readString(Path.of("systemd", "lb4j.service"));
    List<String> added = Files.readAllLines(Path.of("systemd", "lb4j.service.d", "xdp.conf"));
    assertThat(added).contains(
        "[Service]", "AmbientCapabilities=CAP_NET_ADMIN CAP_BPF", "CapabilityBoundingSet=CAP_NET_ADMIN CAP_BPF",
        "RestrictAddressFamilies=AF_XDP", "SystemCallFilter=bpf", "LimitMEMLOCK=infinity");
    assertThat(unit).contains("RestrictAddressFamilies=AF_PACKET ", "SystemCallFilter=@system-service\n");
    assertThat(unit).doesNotContain("AF_XDP", "CAP_BPF", "CAP_NET_ADMIN");
  }
}

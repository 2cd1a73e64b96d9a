package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    CommandLine.ParseResult parsed = Lb.commandLine().parseArgs(arguments).subcommand();
    assertThat(parsed.commandSpec().name()).isEqualTo("run");
    assertThat(parsed.matchedOptionValue("--control", "")).isEqualTo("/run/lb4j/lb4j.sock");
  }
}

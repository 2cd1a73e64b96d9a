package io.lb4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.address.IpAddress;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.report.Json;
import io.lb4j.examples.report.VerifyText;
import io.lb4j.verify.Diagnosis;
import io.lb4j.verify.Evidence;
import io.lb4j.verify.Fault;
import io.lb4j.verify.VerifyReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code lb verify} as far as it needs no interface: usage, and what it prints. */
final class VerifyCommandTest {
  private static final String CONFIGURATION =
      """
      interfaces:
        - name: nosuch0
          addresses: [192.0.2.5/24]
          mac: "02:00:00:00:00:05"
      services:
        - name: web
          vip: 192.0.2.100
          port: 80
          protocol: tcp
          mode: dsr
          servers:
            - {name: s1, address: 192.0.2.11}
      """;

  private static final VerifyReport REPORT =
      new VerifyReport(
          List.of("web/s 1"),
          List.of(
              new Diagnosis(
                  Fault.VIP_MISSING,
                  "s 1",
                  List.of("web"),
                  IpAddress.of("192.0.2.100"),
                  0,
                  "s 1 answers as 192.0.2.11, and not as 192.0.2.100",
                  List.of(new Evidence("unanswered", "eth0", "an echo request", "0200")),
                  List.of("ip addr add 192.0.2.100/32 dev lo"))),
          List.of("something was not asked"));

  @TempDir private Path directory;

  private Path file() throws IOException {
    return Files.writeString(directory.resolve("web.yaml"), CONFIGURATION);
  }

  @Test
  void shouldRefuseAServerThatNoServiceHas() throws IOException {
    CommandRun run = CommandRun.lb("verify", file(), "--server", "s2");
    assertEquals(Lb.USAGE, run.exit());
    assertTrue(run.err().contains("--server s2: no service has such a server online"), run::err);
  }

  @Test
  void shouldSayThatAnInterfaceCannotBeOpened() throws IOException {
    CommandRun run = CommandRun.lb("verify", file(), "--server", "web/s1");
    assertEquals(Lb.USAGE, run.exit());
    assertTrue(run.err().contains("nosuch0"), run::err);
  }

  /** Only with AF_XDP, only behind a gateway, and only when asked as clients that a balancer's port does not know. */
  @ParameterizedTest
  @CsvSource({
    "xdp, gateway, 203.0.113.7, true", "packet, gateway, 203.0.113.7, false", "xdp, dsr, 203.0.113.7, false",
    "xdp, gateway, '', false"
  })
  void shouldSayWhenABalancerWouldTakeAnswersAway(String io, String mode, String client, boolean told)
      throws ConfigurationFileException {
    Configuration configuration = Configuration.parse("web.yaml",
        CONFIGURATION.replace("mode: dsr", "mode: " + mode).replace("mac:", "io: " + io + "\n    mac:"));
    List<String> clients = client.isEmpty() ? List.of() : List.of(client);
    Optional<String> note = VerifyCommand.takenAway(configuration, clients);
    assertEquals(told, note.isPresent());
    note.ifPresent(text -> assertTrue(text.startsWith("nosuch0: ") && text.contains("to 203.0.113.7,"), text));
  }

  @Test
  void shouldTellANewcomerWhatIsWrongAndWhatToType() {
    assertEquals(
        """
        vip-missing: server s 1, 192.0.2.100, of web
          found    s 1 answers as 192.0.2.11, and not as 192.0.2.100
          means    the server does not hold the virtual address, or a packet filter drops what is sent to it
          unanswered eth0: an echo request
                     0200
          to do    add the virtual address to the loopback interface
          type     lb setup web.yaml --server 's 1' --os linux   # prints a script; run it on s 1
          or there ip addr add 192.0.2.100/32 dev lo
          more     docs/verify.md, vip-missing

        note: something was not asked
        1 server asked: 1 fault""",
        new VerifyText("web.yaml").text(REPORT));
  }

  @Test
  void shouldQuoteWhatIsToBeTyped() {
    assertTrue(new VerifyText("/etc/lb4j/web.yaml").text(REPORT).contains(" lb setup /etc/lb4j/web.yaml --server "));
    assertTrue(new VerifyText("it's $1.yaml").text(REPORT).contains(" lb setup 'it'\\''s $1.yaml' --server "));
  }

  @Test
  void shouldPrintTheSameAsJson() throws IOException {
    Map<String, Object> tree = Json.object(Json.pretty(VerifyText.tree(REPORT)));
    assertEquals(false, tree.get("well"));
    Map<?, ?> fault = (Map<?, ?>) ((List<?>) tree.get("faults")).get(0);
    assertEquals("vip-missing", fault.get("code"));
    assertEquals(true, fault.get("setup"));
    assertEquals("0200", ((Map<?, ?>) ((List<?>) fault.get("evidence")).get(0)).get("frame"));
  }
}

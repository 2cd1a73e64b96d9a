package io.lb4j.examples;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.dsr.DsrVerifier;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.examples.live.OpenLinks;
import io.lb4j.examples.live.Rehearsal;
import io.lb4j.examples.report.Json;
import io.lb4j.examples.report.VerifyText;
import io.lb4j.gateway.GatewayVerifier;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.service.Role;
import io.lb4j.verify.ServerCheck;
import io.lb4j.verify.Verifier;
import io.lb4j.verify.VerifyReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code lb verify}: asks the real servers, on the wire, whether they are set up right. */
@Command(
    name = "verify",
    description = {
      "Asks the real servers of a configuration, on the wire, whether they are set up right; says what is wrong and"
          + " what to type. Beside a running balancer, or alone on its machine; needs the capability CAP_NET_RAW.",
      "Announces nothing. Takes about two seconds."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Exit codes: 0 all is well, 1 faults, 2 usage or configuration error."})
final class VerifyCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(paramLabel = "CONFIG", description = "the YAML file")
  private Path file;

  @Option(names = "--server", paramLabel = "NAME", description = "this server alone, for example s1 or web/s1")
  private String server;

  @Option(names = "--json", description = "print one JSON object")
  private boolean json;

  @Option(
      names = "--client",
      paramLabel = "ADDRESS",
      description = "ask as this client too, where a documentation address would go another way (repeatable)")
  private List<String> clients = List.of();

  @Option(
      names = "--friend",
      paramLabel = "MAC",
      description = "MAC address of the other balancer of a pair, which may have the virtual addresses (repeatable)")
  private List<String> friends = List.of();

  @Override
  public Integer call() throws ConfigurationFileException {
    Configuration configuration = Configuration.load(file);
    new Rehearsal(configuration).build().close();
    List<ServerCheck> checks = checks(configuration);
    VerifyReport report;
    try (OpenLinks links = OpenLinks.open(configuration)) {
      Verifier verifier =
          Verifier.of(links.list(), checks)
              .seed(System.nanoTime())
              .active(configuration.role() != Role.PASSIVE);
      if (!clients.isEmpty()) {
        verifier.clients(clients.stream().map(IpAddress::of).toList());
      }
      friends.stream().map(MacAddress::of).forEach(verifier::friend);
      report = noted(verifier.run(), takenAway(configuration, clients));
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? Json.pretty(VerifyText.tree(report)) : new VerifyText(file.toString()).text(report));
    out.flush();
    return report.isWell() ? Lb.OK : Lb.FAILED;
  }

  /**
   * What a balancer beside us would take away, of which we cannot tell whether it runs: behind a gateway, answers to
   * clients by an AF_XDP port, but for those to the usual clients.
   */
  static Optional<String> takenAway(Configuration configuration, List<String> clients) {
    List<String> interfaces =
        configuration.interfaces().stream()
            .filter(link -> link.live().io() == LiveIo.XDP)
            .map(InterfaceDeclaration::name)
            .toList();
    boolean concerned = !clients.isEmpty() && !GatewayVerifier.checks(configuration.services()).isEmpty();
    return concerned && !interfaces.isEmpty()
        ? Optional.of(
            String.join(", ", interfaces) + ": a balancer that runs with io xdp takes away what servers answer to "
                + String.join(", ", clients) + ", and gateway-not-us is then told of good servers; ask before it starts,"
                + " or without --client")
        : Optional.empty();
  }

  private static VerifyReport noted(VerifyReport report, Optional<String> note) {
    return new VerifyReport(
        report.servers(), report.faults(), Stream.concat(note.stream(), report.notes().stream()).toList());
  }

  private List<ServerCheck> checks(Configuration configuration) {
    List<ServerCheck> all =
        Stream.concat(
                DsrVerifier.checks(configuration.services()).stream(),
                GatewayVerifier.checks(configuration.services()).stream())
            .toList();
    if (server == null) {
      return all;
    }
    List<ServerCheck> chosen = all.stream().filter(this::isChosen).toList();
    if (chosen.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "--server " + server + ": no service has such a server online");
    }
    return chosen;
  }

  private boolean isChosen(ServerCheck check) {
    return server.equals(check.server()) || server.equals(check.service() + "/" + check.server());
  }
}

package io.lb4j.examples;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.setup.DeclaredServer;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.setup.OperatingSystem;
import io.lb4j.setup.ServerNeeds;
import io.lb4j.setup.SetupFlavour;
import io.lb4j.setup.SetupScript;
import io.lb4j.setup.SetupTarget;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code lb setup}: prints the script that makes a machine a real server, or takes that back. */
@Command(
    name = "setup",
    description = "Prints the script that makes a machine the real server of a configuration file: for every service that"
        + " the server belongs to, in its mode.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "  lb setup web.yaml --server rs1 --os linux | ssh root@192.0.2.21 sh",
      "  lb setup web.yaml --server rs1 --os windows > rs1.ps1",
      "",
      "Exit codes: 0 printed, 2 the file cannot be read, or has no such server."
    })
final class SetupCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(paramLabel = "CONFIG", description = "the YAML file")
  private Path file;

  @Option(names = "--server", paramLabel = "NAME", required = true, description = "the real server's name")
  private String server;

  @Option(names = "--os", paramLabel = "OS", required = true, description = "linux or windows")
  private String system;

  @Option(
      names = "--flavour",
      paramLabel = "FLAVOUR",
      description = "linux: iproute2 (until the next restart; the default), systemd-networkd, netplan, networkmanager,"
          + " ifupdown, ifcfg; windows: powershell (the default), netsh")
  private @Nullable String flavour;

  @Option(
      names = "--interface",
      paramLabel = "NAME",
      description = "the server's interface towards the balancer; otherwise the script finds it by the server's address")
  private @Nullable String interfaceName;

  @Option(names = "--undo", description = "print the script that takes the set-up back")
  private boolean undo;

  @Override
  public Integer call() throws ConfigurationFileException, CommandException {
    SetupFlavour chosen = chosenFlavour(chosenSystem());
    Configuration configuration = Configuration.load(file);
    String script = script(configuration, chosen);
    PrintWriter out = spec.commandLine().getOut();
    out.print(script);
    out.flush();
    return Lb.OK;
  }

  private String script(Configuration configuration, SetupFlavour chosen) throws CommandException {
    try {
      SetupTarget target = new SetupTarget(chosen, Optional.ofNullable(interfaceName));
      ServerNeeds needs = new DeclaredServer(configuration, server).needs();
      return undo ? SetupScript.undo(needs, target) : SetupScript.apply(needs, target);
    } catch (ConfigurationException e) {
      throw new CommandException(file + ": " + e.getMessage());
    }
  }

  private OperatingSystem chosenSystem() {
    return Stream.of(OperatingSystem.values())
        .filter(known -> name(known).equals(system))
        .findFirst()
        .orElseThrow(() -> unknown("--os", system, Stream.of(OperatingSystem.values()).map(SetupCommand::name)));
  }

  private SetupFlavour chosenFlavour(OperatingSystem chosen) {
    List<SetupFlavour> flavours = SetupFlavour.of(chosen);
    return flavour == null
        ? flavours.get(0)
        : flavours.stream()
            .filter(known -> known.key().equals(flavour))
            .findFirst()
            .orElseThrow(() -> unknown(
                "--flavour with --os " + system, String.valueOf(flavour), flavours.stream().map(SetupFlavour::key)));
  }

  private static String name(OperatingSystem system) {
    return system.name().toLowerCase(Locale.ROOT);
  }

  private ParameterException unknown(String option, String value, Stream<String> known) {
    return new ParameterException(
        spec.commandLine(), option + " is one of " + known.collect(Collectors.joining(", ")) + ", not '" + value + "'");
  }
}

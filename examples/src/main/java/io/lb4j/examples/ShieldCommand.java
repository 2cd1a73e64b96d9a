package io.lb4j.examples;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.live.LiveBalancer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code lb shield}: prints the rules that keep a balancer's frames from the kernel, for who loads them himself. */
@Command(
    name = "shield",
    description = "Prints the rules of nftables that keep the balancer's frames from the kernel: those of"
        + " lb run --shield, for a balancer that runs without the right to load them. They stay until they are deleted;"
        + " loading them again replaces them.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "  lb shield web.yaml | nft -f -",
      "  lb run --host-ignores-vips web.yaml",
      "  nft delete table netdev lb4j",
      "",
      "Exit codes: 0 printed, 2 the file cannot be read."
    })
final class ShieldCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(paramLabel = "CONFIG", description = "the YAML file")
  private Path file;

  @Override
  public Integer call() throws ConfigurationFileException {
    String rules = LiveBalancer.shieldRules(Configuration.load(file));
    PrintWriter out = spec.commandLine().getOut();
    out.print(rules);
    out.flush();
    return Lb.OK;
  }
}

package io.lb4j.examples.demo;

import io.lb4j.examples.lab.Lab;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows the balancer at work on real traffic, or through memory where the rights for that are missing. */
@Command(
    name = "demo",
    description = "Shows direct server return and the gateway, on two arms and on one: real servers and clients in"
        + " network namespaces (Linux, root), else the same through memory.",
    mixinStandardHelpOptions = true)
public final class DemoCommand implements Callable<Integer> {
  @Option(names = "--memory", description = "Leave the network alone: play the scenario through memory.")
  private boolean memory;

  @Spec private CommandSpec spec;

  /** Made by the command line. */
  public DemoCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    DemoReport report = new DemoReport(out);
    Runtime.getRuntime().addShutdownHook(new Thread(report::silence));
    Optional<String> obstacle = memory ? Optional.of("--memory was given") : Lab.obstacle();
    if (obstacle.isPresent()) {
      new MemoryDemo(report).run(obstacle.get());
    } else {
      new LiveDemo(report).run();
    }
    return report.end();
  }
}

package io.lb4j.examples;

import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.demo.DemoCommand;
import io.lb4j.pcap.CaptureException;
import io.lb4j.port.PortException;
import io.lb4j.settings.ConfigurationException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The {@code lb} command. Exit codes: 0 success, 1 a failed check, 2 a usage or configuration error. */
@Command(
    name = "lb",
    description = "Layer-4 load balancing: live, or over capture files.",
    mixinStandardHelpOptions = true,
    version = "lb 0.1.0-SNAPSHOT",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      CheckCommand.class, SetupCommand.class, VerifyCommand.class, ReplayCommand.class, RunCommand.class,
      ShieldCommand.class, CtlCommand.class, DemoCommand.class
    },
    footer = {"", "Exit codes: 0 success, 1 a failed check, 2 a usage or configuration error."})
public final class Lb implements Runnable {
  /** Success. */
  public static final int OK = 0;

  /** A check failed. */
  public static final int FAILED = 1;

  /** A usage or configuration error. */
  public static final int USAGE = 2;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** The top command, without a subcommand. */
  public Lb() {}

  /**
   * Runs the command and exits.
   *
   * @param args as typed
   */
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true); // the library's own would not tell when nobody reads any more
    System.exit(commandLine(args).setOut(out).execute(args));
  }

  /**
   * The command line with its error handling. The many commands of {@code lb ctl} are there if it is what was typed:
   * reading what they are called is more than half of the work of starting.
   *
   * @param args as typed
   * @return ready to execute them; output and error streams can be replaced
   */
  public static CommandLine commandLine(String... args) {
    CommandLine line = new CommandLine(new Lb());
    if (List.of(args).contains(CtlCommand.NAME)) {
      line.getSubcommands().get(CtlCommand.NAME).getCommandSpec().addMethodSubcommands();
    }
    line.setParameterExceptionHandler(Lb::onParameterError);
    line.setExecutionExceptionHandler(Lb::onError);
    line.setUsageHelpAutoWidth(true);
    String[] version = line.getCommandSpec().version();
    line.getSubcommands().values().forEach(command -> command.getCommandSpec().version(version));
    return line;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private static int onParameterError(ParameterException e, String[] args) {
    CommandLine line = e.getCommandLine();
    String name = line.getCommandSpec().qualifiedName();
    line.getErr().println(name + ": " + e.getMessage() + " (see " + name + " --help)");
    return USAGE;
  }

  private static int onError(Exception e, CommandLine line, ParseResult result) {
    PrintWriter err = line.getErr();
    err.println(line.getCommandSpec().qualifiedName() + ": " + message(e));
    err.flush();
    return USAGE;
  }

  private static String message(Exception e) {
    boolean expected =
        e instanceof CommandException
            || e instanceof ConfigurationFileException
            || e instanceof ConfigurationException
            || e instanceof PortException;
    if (expected) {
      return e.getMessage();
    }
    if (e instanceof UncheckedIOException unchecked) {
      return message(unchecked.getCause());
    }
    if (e instanceof CaptureException) {
      return e.getMessage();
    }
    if (e instanceof IOException) {
      return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
    StackTraceElement[] at = e.getStackTrace();
    return "internal error: " + e + (at.length > 0 ? " at " + at[0] : "");
  }
}

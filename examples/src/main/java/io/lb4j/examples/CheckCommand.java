package io.lb4j.examples;

import io.lb4j.examples.check.Linter;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.Finding;
import io.lb4j.examples.report.Json;
import io.lb4j.examples.report.StatisticsReport;
import io.lb4j.settings.Severity;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lb check}: looks for what is wrong with a configuration file. */
@Command(
    name = "check",
    description = "Checks a configuration file; each finding has its line, a code, the reason and the remedy.",
    mixinStandardHelpOptions = true,
    footer = {
      "", "Exit codes: 0 no error, 1 errors (with --strict: or warnings), 2 the file cannot be read or, with --print, used."
    })
final class CheckCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(paramLabel = "CONFIG", description = "the YAML file")
  private Path file;

  @Option(names = "--json", description = "print one JSON object")
  private boolean json;

  @Option(names = "--print", description = "print the file in canonical form: keys in one order, defaults left out")
  private boolean print;

  @Option(names = "--strict", description = "let warnings be failures, too")
  private boolean strict;

  @Option(names = "--defaults", description = "tell as well which monitors apply by default")
  private boolean defaults;

  @Override
  public Integer call() throws ConfigurationFileException {
    if (print) {
      return print();
    }
    List<Finding> findings = findings();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.pretty(StatisticsReport.tree(file.toString(), findings)));
    } else if (findings.isEmpty()) {
      out.println(file + ": no findings");
    } else {
      findings.forEach(out::println);
    }
    out.flush();
    return findings.stream().anyMatch(this::isFailure) ? Lb.FAILED : Lb.OK;
  }

  private boolean isFailure(Finding finding) {
    return finding.severity() == Severity.ERROR || strict && finding.severity() == Severity.WARNING;
  }

  private int print() throws ConfigurationFileException {
    PrintWriter out = spec.commandLine().getOut();
    out.print(Configuration.load(file).text());
    out.flush();
    return Lb.OK;
  }

  private List<Finding> findings() throws ConfigurationFileException {
    try {
      Linter linter = new Linter(Configuration.load(file));
      return defaults ? linter.findingsAndDefaults() : linter.findings();
    } catch (ConfigurationFileException e) {
      if (!e.isReadable()) {
        throw e;
      }
      return e.findings();
    }
  }
}

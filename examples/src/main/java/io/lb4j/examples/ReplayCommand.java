package io.lb4j.examples;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.replay.InterfaceFile;
import io.lb4j.examples.replay.Replay;
import io.lb4j.examples.report.Json;
import io.lb4j.examples.report.StatisticsReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code lb replay}: capture files through the data path. */
@Command(
    name = "replay",
    description = {
      "Sends capture files, merged in time order, through the data path of a configuration.",
      "The clock is the captures' own; the same files and seed give the same bytes. No rights are needed.",
      "MAC addresses of servers and other neighbours: from the file, else learned from the captures, else"
          + " 02:00:5e and the last 24 bits of the address, with a warning."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Exit codes: 0 done, 1 a frame was lost count of, 2 usage or configuration error."})
final class ReplayCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(paramLabel = "CONFIG", arity = "0..1", description = "the YAML file")
  private Path file;

  @Option(
      names = "--in",
      paramLabel = "IF=FILE",
      arity = "1..*",
      required = true,
      description = "capture files (pcap, pcapng) of an interface; of equal times the file named first goes first")
  private List<String> in = List.of();

  @Option(
      names = "--out",
      paramLabel = "IF=FILE",
      arity = "1..*",
      description = "write what leaves an interface: pcapng when FILE ends so, else pcap with nanoseconds")
  private List<String> out = List.of();

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      description = "one tab-separated line per input frame: number, interface, number in its file,"
          + " FORWARD|ANSWER|PASS|DROP, reason or service/server, output interface, number in the output file")
  private Path trace;

  @Option(names = "--announce", description = "send the balancer's own timed frames too")
  private boolean announce;

  @Option(names = "--json", description = "print one JSON object")
  private boolean json;

  @Option(names = "--seed", paramLabel = "N", description = "of hashes and schedulers; else the file's, else 1")
  private Long seed;

  @Override
  public Integer call() throws IOException, CommandException, ConfigurationFileException {
    List<InterfaceFile> inputs = files("--in", in);
    List<InterfaceFile> outputs = files("--out", out);
    if (file == null) {
      throw new ParameterException(spec.commandLine(), "Missing required parameter: 'CONFIG'");
    }
    List<String> warnings = new ArrayList<>();
    Configuration configuration = Configuration.load(file);
    Replay.Settings settings = new Replay.Settings(inputs, outputs, trace, announce, seed);
    Replay.Result result = new Replay(configuration, settings, text -> warn(warnings, text)).run();
    print(result, warnings);
    return result.lawHolds() ? Lb.OK : Lb.FAILED;
  }

  private void warn(List<String> warnings, String text) {
    warnings.add(text);
    PrintWriter err = spec.commandLine().getErr();
    err.println("lb replay: warning: " + text);
    err.flush();
  }

  private void print(Replay.Result result, List<String> warnings) {
    PrintWriter writer = spec.commandLine().getOut();
    if (json) {
      Map<String, Object> tree = StatisticsReport.tree(result.statistics(), result.frames(), result.bytes());
      tree.put("law", result.lawHolds());
      tree.put("warnings", warnings);
      writer.println(Json.pretty(tree));
    } else {
      writer.print(StatisticsReport.text(result.statistics(), result.transmitted()));
      String law = result.lawHolds() ? "holds" : "DOES NOT HOLD";
      writer.println("\nlaw: received = sum of verdicts: " + law);
    }
    writer.flush();
  }

  /** Values without '=' cannot be files of an interface; one of them is CONFIG when that came after the option. */
  private List<InterfaceFile> files(String option, List<String> values) {
    List<InterfaceFile> files = new ArrayList<>();
    for (String value : values) {
      int equals = value.indexOf('=');
      if (equals > 0 && equals < value.length() - 1) {
        files.add(new InterfaceFile(value.substring(0, equals), Path.of(value.substring(equals + 1))));
      } else if (equals < 0 && file == null) {
        file = Path.of(value);
      } else {
        throw new ParameterException(spec.commandLine(), option + " " + value + ": IF=FILE is expected");
      }
    }
    return files;
  }
}

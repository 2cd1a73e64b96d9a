package io.lb4j.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/**
 * Makes tables and charts of what JMH measured.
 *
 * <pre>
 *   Report RESULTS-DIRECTORY                                   prints the tables
 *   Report RESULTS-DIRECTORY --images DIRECTORY PAGE.md ...    writes charts, and tables between the pages' markers
 * </pre>
 *
 * The directory holds {@code ROUND-NUMBER.json} of each run, and {@code machine.properties} that says where they ran.
 */
public final class Report {
  private static final List<String> GROUPS =
      List.of(
          "DsrPipelineBenchmark",
          "NatPipelineBenchmark",
          "NewFlowBenchmark",
          "MixedTrafficBenchmark",
          "FlowTableBenchmark",
          "MemoryBenchmark",
          "ScalingBenchmark",
          "HandOverBenchmark",
          "HandOverLatencyBenchmark",
          "WayLatencyBenchmark",
          "ParseBenchmark",
          "ChecksumBenchmark",
          "SchedulerBenchmark",
          "PersistenceBenchmark");

  private static final Map<String, String> MACHINE_ROWS = machineRows();

  private Report() {}

  private static Map<String, String> machineRows() {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("machine", "Machine");
    rows.put("system", "System");
    rows.put("jdk", "JDK");
    rows.put("flags", "Flags");
    rows.put("run", "Run");
    rows.put("commit", "Source");
    rows.put("load", "Load average");
    rows.put("command", "To repeat");
    return rows;
  }

  /**
   * Runs the program.
   *
   * @param arguments as above
   * @throws IOException when a file cannot be read or written
   */
  public static void main(String... arguments) throws IOException {
    if (arguments.length == 0 || arguments.length == 2 || arguments.length > 2 && !arguments[1].equals("--images")) {
      System.err.println("usage: Report RESULTS-DIRECTORY [--images DIRECTORY PAGE.md ...]");
      System.exit(2);
    }
    Path directory = Path.of(arguments[0]);
    Results results = new Results(JmhFile.readAll(directory));
    Map<String, String> sections = sections(results, machine(directory));
    if (arguments.length == 1) {
      sections.forEach((name, section) -> System.out.println("## " + name + "\n\n" + section));
      return;
    }
    Path images = Path.of(arguments[2]);
    Files.createDirectories(images);
    Map<String, String> charts = new Charts(results).files();
    for (Map.Entry<String, String> chart : charts.entrySet()) {
      Files.writeString(images.resolve(chart.getKey()), chart.getValue());
    }
    for (String page : List.of(arguments).subList(3, arguments.length)) {
      Path file = Path.of(page).toAbsolutePath().normalize();
      Path toImages = file.getParent().relativize(images.toAbsolutePath().normalize());
      sections.putAll(pictures(charts.keySet(), toImages.toString()));
      Files.writeString(file, Markers.fill(Files.readString(file), sections));
    }
  }

  /** All pictures together, and each of its own; nothing for those that were not drawn. */
  static Map<String, String> pictures(Collection<String> drawn, String directory) {
    Map<String, String> sections = new TreeMap<>();
    StringBuilder all = new StringBuilder();
    Charts.NAMES.forEach((file, title) -> {
      String picture = drawn.contains(file) ? "![" + title + "](" + directory + "/" + file + ")\n" : "";
      all.append(picture.isEmpty() ? "" : picture + "\n");
      sections.put("chart-" + file.replace(".svg", ""), picture);
    });
    sections.put("charts", all.toString());
    return sections;
  }

  /** Every table by the name that markers ask for. */
  static Map<String, String> sections(Results results, Properties machine) {
    Map<String, String> sections = new LinkedHashMap<>();
    Table rows = new Table("", "");
    MACHINE_ROWS.forEach((key, name) -> {
      if (machine.containsKey(key)) {
        rows.row(name, machine.getProperty(key));
      }
    });
    sections.put("machine", rows.toString());
    GoalTable goals = new GoalTable(results);
    sections.put("goals", goals.nanoseconds());
    sections.put("ratios", goals.ratios());
    Tables tables = new Tables(results);
    GROUPS.forEach(group -> sections.put(group, tables.of(group)));
    return sections;
  }

  private static Properties machine(Path directory) throws IOException {
    Properties machine = new Properties();
    Path file = directory.resolve("machine.properties");
    if (Files.exists(file)) {
      try (var reader = Files.newBufferedReader(file)) {
        machine.load(reader);
      }
    }
    return machine;
  }
}

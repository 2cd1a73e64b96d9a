package io.lb4j.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Makes tables of what the lab measured on the wire.
 *
 * <pre>
 *   LabReport RESULTS-DIRECTORY               prints the tables
 *   LabReport RESULTS-DIRECTORY PAGE.md ...   writes them between the pages' markers that begin with lab-
 * </pre>
 *
 * The directory holds {@code lines.jsonl}, and {@code machine.properties} that says where they were measured.
 */
public final class LabReport {
  private static final Map<String, String> MACHINE_ROWS = machineRows();

  private LabReport() {}

  private static Map<String, String> machineRows() {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("machine", "Machine");
    rows.put("system", "System");
    rows.put("others", "Others");
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
    if (arguments.length == 0) {
      System.err.println("usage: LabReport RESULTS-DIRECTORY [PAGE.md ...]");
      System.exit(2);
    }
    Path directory = Path.of(arguments[0]);
    Map<String, String> sections =
        sections(new LabLines(Files.readAllLines(directory.resolve("lines.jsonl"))), machine(directory));
    if (arguments.length == 1) {
      sections.forEach((name, section) -> System.out.println("## " + name + "\n\n" + section));
    }
    for (String page : List.of(arguments).subList(1, arguments.length)) {
      Path file = Path.of(page);
      Files.writeString(file, Markers.fill(Files.readString(file), sections));
    }
  }

  /** Every table by the name that markers ask for. */
  static Map<String, String> sections(LabLines lines, Properties machine) {
    Map<String, String> sections = new LinkedHashMap<>();
    Table rows = new Table("", "");
    MACHINE_ROWS.forEach((key, name) -> {
      if (machine.containsKey(key)) {
        rows.row(name, machine.getProperty(key));
      }
    });
    sections.put("lab-machine", rows.toString());
    sections.put("lab-goals", new LabGoals(lines).text());
    LabTables tables = new LabTables(lines);
    for (String topology : List.of("dual", "single", "direct")) {
      sections.put("lab-" + topology + "-requests", tables.requests(topology));
      sections.put("lab-" + topology + "-bulk", tables.bulk(topology, whats(topology)));
    }
    sections.put("lab-frames", tables.frames());
    sections.put("lab-roundtrips", tables.roundTrips());
    sections.put("lab-wakes", tables.wakes());
    return sections;
  }

  private static Map<String, String> whats(String topology) {
    Map<String, String> whats = new LinkedHashMap<>();
    if (topology.equals("direct")) {
      whats.put("1m", "downloads of 1 MB");
      whats.put("16m", "downloads of 16 MB");
      return whats;
    }
    whats.put("one", "one stream");
    if (topology.equals("dual")) {
      whats.put("four", "four streams");
    }
    whats.put("down", "one stream to the client");
    return whats;
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

package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.examples.Lb;
import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** {@code lb verify} in a lab: servers are broken, each in its own way and side by side, asked, and mended. */
final class VerifyFixture implements AutoCloseable {
  final LabFixture fixture;
  private final Path file;
  private final Map<String, Set<String>> expected = new TreeMap<>();
  private final StringBuilder mending = new StringBuilder();

  private VerifyFixture(LabFixture fixture, String configuration) {
    this.fixture = fixture;
    this.file = fixture.lab.directory().resolve("verify.yaml");
    try {
      Files.writeString(file, configuration);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static VerifyFixture up(LabFixture fixture, BalancerConfiguration configuration) {
    return new VerifyFixture(fixture, configuration.text());
  }

  private void sh(String host, String commands) {
    fixture.lab.must(host, "sh", "-c", "set -e; " + commands);
  }

  /** Breaks a server and says what is to be found: {@code code address}, for IPv4 and IPv6. */
  void broken(int server, String breaks, String mends, String... found) {
    String name = "s" + server;
    if (found.length > 0) {
      expect(name, found);
    }
    sh(name, breaks);
    mending.append(name).append('\t').append(mends).append('\n');
  }

  /** Expects more of a server. */
  void expect(String name, String... found) {
    expected.computeIfAbsent(name, key -> new TreeSet<>()).addAll(List.of(found));
  }

  void mend() {
    mending.toString().lines().forEach(line -> sh(line.split("\t", 2)[0], line.split("\t", 2)[1]));
    mending.setLength(0);
    expected.clear();
  }

  /** Asks all servers, and compares what is found with what is broken. */
  Map<String, Object> verify() {
    Map<String, Object> report = run();
    Map<String, Set<String>> found = new TreeMap<>();
    for (Object each : (List<?>) report.get("faults")) {
      Map<?, ?> fault = (Map<?, ?>) each;
      found.computeIfAbsent((String) fault.get("server"), key -> new TreeSet<>())
          .add(fault.get("code") + " " + fault.get("address"));
      assertTrue(!((List<?>) fault.get("evidence")).isEmpty(), fault::toString);
      assertTrue(!((String) fault.get("remedy")).isBlank(), fault::toString);
    }
    assertEquals(expected, found, () -> found(report));
    return report;
  }

  private Map<String, Object> run() {
    long beginNs = System.nanoTime();
    String output = text("--json");
    System.out.println("verified in " + (System.nanoTime() - beginNs) / 1_000_000 + " ms, with the start of a JVM");
    try {
      return Json.object(output.substring(Math.max(0, output.indexOf("{\n")))); // warnings come first
    } catch (IOException e) {
      throw new AssertionError(output, e);
    }
  }

  private static String found(Map<String, Object> report) {
    StringBuilder text = new StringBuilder(report.get("notes").toString());
    for (Object each : (List<?>) report.get("faults")) {
      text.append('\n').append(((Map<?, ?>) each).get("code")).append(": ").append(((Map<?, ?>) each).get("found"));
    }
    return text.append('\n').toString();
  }

  /** Types on each server what the report says of faults that addresses, routes and kernel settings mend. */
  void typeWhatItSays(Map<String, Object> report) {
    for (Object each : (List<?>) report.get("faults")) {
      Map<?, ?> fault = (Map<?, ?>) each;
      String server = (String) fault.get("server");
      if (Boolean.TRUE.equals(fault.get("setup"))) {
        ((List<?>) fault.get("commands")).forEach(command -> sh(server, (String) command));
        expected.get(server).remove(fault.get("code") + " " + fault.get("address"));
      }
    }
    expected.values().removeIf(Set::isEmpty);
  }

  /** What the running balancer told by itself of servers that are set up wrong: interface, server and code. */
  Set<String> toldByBalancer() {
    Outcome outcome = fixture.balancer.ctl("events", "--json");
    Set<String> told = new TreeSet<>();
    try {
      for (Object each : (List<?>) Json.object(outcome.output()).get("events")) {
        Map<?, ?> entry = (Map<?, ?>) each;
        if (entry.get("event").equals("ServerSetupFault")) {
          told.add((String) entry.get("subject"));
        }
      }
    } catch (IOException e) {
      throw new AssertionError(outcome.output(), e);
    }
    return told;
  }

  /** The command as somebody types it. */
  String text(String... options) {
    String[] arguments = new String[options.length + 2];
    arguments[0] = "verify";
    arguments[1] = file.toString();
    System.arraycopy(options, 0, arguments, 2, options.length);
    return fixture.lab.java("lb", Lb.class, arguments).output();
  }

  @Override
  public void close() {
    fixture.close();
  }
}

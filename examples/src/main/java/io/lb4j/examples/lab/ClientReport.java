package io.lb4j.examples.lab;

import io.lb4j.address.IpAddress;
import java.net.InetAddress;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * What the lab's client saw. Immutable, shared.
 *
 * @param answered requests or datagrams answered
 * @param failed those that were not
 * @param strangers answers in which the server names another address than the client's
 * @param servers answers per server
 * @param seen the client's addresses as servers saw them, with their answers
 * @param perSource servers per client address, for example {@code "198.51.100.10 s1"}, with their answers
 * @param broken held connections that broke, per server
 * @param sample the first answer
 * @param problem the first failure
 */
public record ClientReport(
    int answered,
    int failed,
    int strangers,
    Map<String, Integer> servers,
    Map<String, Integer> seen,
    Map<String, Integer> perSource,
    Map<String, Integer> broken,
    String sample,
    String problem) {

  /**
   * Reads what the client printed.
   *
   * @param output its output
   * @return the report; without any, one failure that quotes the output
   */
  public static ClientReport parse(String output) {
    int[] counts = new int[3];
    Map<String, Map<String, Integer>> maps = Map.of(
        "server", new TreeMap<>(), "seen", new TreeMap<>(), "source", new TreeMap<>(), "broken", new TreeMap<>());
    String sample = "";
    String problem = "";
    boolean complete = false;
    for (String line : output.lines().toList()) {
      String[] part = line.split("\t");
      switch (part[0]) {
        case "counts" -> {
          for (int i = 0; i < counts.length; i++) {
            counts[i] = Integer.parseInt(part[i + 1]);
          }
          complete = true;
        }
        case "seen" -> maps.get("seen").put(IpAddress.of(part[1]).toString(), Integer.parseInt(part[2]));
        case "server", "source", "broken" -> maps.get(part[0]).put(part[1], Integer.parseInt(part[2]));
        case "sample" -> sample = part.length > 1 ? part[1] : "";
        case "problem" -> problem = part.length > 1 ? part[1] : "";
        default -> { }
      }
    }
    if (!complete) {
      return new ClientReport(0, 1, 0, Map.of(), Map.of(), Map.of(), Map.of(), "", "the client printed: " + output);
    }
    return new ClientReport(counts[0], counts[1], counts[2], maps.get("server"), maps.get("seen"),
        maps.get("source"), maps.get("broken"), sample, problem);
  }

  String print() {
    StringJoiner lines = new StringJoiner("\n");
    lines.add("counts\t" + answered + "\t" + failed + "\t" + strangers);
    servers.forEach((name, count) -> lines.add("server\t" + name + "\t" + count));
    seen.forEach((address, count) -> lines.add("seen\t" + address + "\t" + count));
    perSource.forEach((name, count) -> lines.add("source\t" + name + "\t" + count));
    broken.forEach((name, count) -> lines.add("broken\t" + name + "\t" + count));
    lines.add("sample\t" + sample);
    lines.add("problem\t" + problem);
    return lines.toString();
  }

  /**
   * Whether all went well.
   *
   * @return answers, no failure, and every server saw the client's own address
   */
  public boolean clean() {
    return answered > 0 && failed == 0 && strangers == 0;
  }

  /**
   * The shares in one line.
   *
   * @return for example {@code s1 20, s2 20, s3 20}
   */
  public String shares() {
    StringJoiner text = new StringJoiner(", ");
    servers.forEach((name, count) -> text.add(name + " " + count));
    return text.toString();
  }

  /** Counts answers, by classes of the JDK alone, which start a process in half the time. Safe from any thread. */
  static final class Tally {
    private final Map<String, Integer> servers = new TreeMap<>();
    private final Map<String, Integer> seen = new TreeMap<>();
    private final Map<String, Integer> perSource = new TreeMap<>();
    private final Map<String, Integer> broken = new TreeMap<>();
    private int answered;
    private int failed;
    private int strangers;
    private String sample = "";
    private String problem = "";

    /**
     * Counts an answer.
     *
     * @param text the server's name, the client's address as the server saw it, and more
     * @param source the client's address, null when the text has none
     * @return the server's name
     */
    synchronized String answered(String text, InetAddress source) {
      answered++;
      if (sample.isEmpty()) {
        sample = text;
      }
      String[] word = text.split(" ");
      servers.merge(word[0], 1, Integer::sum);
      if (source != null) {
        InetAddress address = InetAddress.ofLiteral(word[1]);
        seen.merge(address.getHostAddress(), 1, Integer::sum);
        perSource.merge(source.getHostAddress() + " " + word[0], 1, Integer::sum);
        strangers += address.equals(source) ? 0 : 1;
      }
      return word[0];
    }

    synchronized void failed(String reason) {
      failed++;
      if (problem.isEmpty()) {
        problem = reason;
      }
    }

    synchronized void broken(String server) {
      broken.merge(server, 1, Integer::sum);
    }

    synchronized ClientReport report() {
      return new ClientReport(answered, failed, strangers, Map.copyOf(servers), Map.copyOf(seen),
          Map.copyOf(perSource), Map.copyOf(broken), sample, problem);
    }
  }
}

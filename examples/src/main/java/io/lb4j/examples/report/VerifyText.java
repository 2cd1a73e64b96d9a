package io.lb4j.examples.report;

import io.lb4j.verify.Diagnosis;
import io.lb4j.verify.Evidence;
import io.lb4j.verify.VerifyReport;
import java.util.LinkedHashMap;

import java.util.Map;

/** What a verification found, for people and for programs. Owned by one thread. */
public final class VerifyText {
  private static final int HEX_DIGITS = 160;

  private final String file;

  /**
   * A report for people.
   *
   * @param file of the configuration, for commands to type
   */
  public VerifyText(String file) {
    this.file = file;
  }

  /**
   * The report as text: fault by fault what it is, what shows it and what to type.
   *
   * @param report of a verification
   * @return lines, the last one without a line break
   */
  public String text(VerifyReport report) {
    StringBuilder text = new StringBuilder();
    report.faults().forEach(fault -> append(text, fault));
    report.notes().forEach(note -> text.append("note: ").append(note).append('\n'));
    String found = report.isWell() ? "all is well" : count(report.faults().size(), "fault");
    return text.append(count(servers(report), "server")).append(" asked: ").append(found).toString();
  }

  /** A server of several services is one. */
  private static int servers(VerifyReport report) {
    return (int) report.servers().stream().map(name -> name.substring(name.lastIndexOf('/') + 1)).distinct().count();
  }

  private static String count(int number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  private void append(StringBuilder text, Diagnosis fault) {
    text.append(fault.fault().code()).append(": ").append(subject(fault)).append('\n');
    text.append("  found    ").append(fault.text()).append('\n');
    text.append("  means    ").append(fault.fault().meaning()).append('\n');
    fault.evidence().forEach(evidence -> append(text, evidence));
    text.append("  to do    ").append(fault.fault().remedy()).append('\n');
    if (fault.fault().isMendedBySetup() && !fault.server().isEmpty()) {
      text.append("  type     lb setup ").append(quoted(file)).append(" --server ").append(quoted(fault.server()));
      text.append(" --os linux   # prints a script; run it on ").append(fault.server()).append('\n');
    }
    fault.commands().forEach(
        command -> text.append("  or there ").append(command).append('\n'));
    text.append("  more     docs/verify.md, ").append(fault.fault().code()).append("\n\n");
  }

  private static String subject(Diagnosis fault) {
    String server = fault.server().isEmpty() ? "" : "server " + fault.server() + ", ";
    String port = fault.port() == 0 ? "" : " port " + fault.port();
    return server + fault.address() + port + ", of " + String.join(", ", fault.services());
  }

  private static void append(StringBuilder text, Evidence evidence) {
    String what = (evidence.what() + "          ").substring(0, 11);
    text.append("  ").append(what).append(evidence.networkInterface()).append(": ").append(evidence.words());
    String hex = evidence.hex();
    boolean cut = hex.length() > HEX_DIGITS;
    text.append("\n             ").append(cut ? hex.substring(0, HEX_DIGITS) + "..." : hex).append('\n');
  }

  private static String quoted(String name) {
    return name.matches("[A-Za-z0-9._/][A-Za-z0-9._/-]*") ? name : "'" + name.replace("'", "'\\''") + "'";
  }

  /**
   * The report for JSON, with whole frames.
   *
   * @param report of a verification
   * @return maps and lists
   */
  public static Map<String, Object> tree(VerifyReport report) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("well", report.isWell());
    tree.put("servers", report.servers());
    tree.put("faults", report.faults().stream().map(VerifyText::tree).toList());
    tree.put("notes", report.notes());
    return tree;
  }

  private static Map<String, Object> tree(Diagnosis fault) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("code", fault.fault().code());
    tree.put("server", fault.server());
    tree.put("services", fault.services());
    tree.put("address", fault.address().toString());
    tree.put("port", fault.port());
    tree.put("found", fault.text());
    tree.put("means", fault.fault().meaning());
    tree.put("remedy", fault.fault().remedy());
    tree.put("setup", fault.fault().isMendedBySetup());
    tree.put("commands", fault.commands());
    tree.put("evidence", fault.evidence().stream().map(VerifyText::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(Evidence evidence) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("what", evidence.what());
    tree.put("interface", evidence.networkInterface());
    tree.put("words", evidence.words());
    tree.put("frame", evidence.hex());
    return tree;
  }
}

package io.lb4j.examples.control;

import io.lb4j.examples.Lb;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.Finding;
import io.lb4j.examples.report.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a client gets for a request. Immutable.
 *
 * @param tree members of a JSON object
 * @param text the same for people, ended by a line break
 */
record Reply(Map<String, Object> tree, String text) {
  /** The member that tells where the next page begins. */
  static final String NEXT = "next";

  /** Done, and nothing to tell but a few words. */
  static Reply done(String words) {
    return new Reply(Map.of("done", words), words + "\n");
  }

  /** The line that answers a request well. Where there are more pages, {@code next} is beside either form. */
  String line(boolean asText) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("ok", true);
    line.put(asText ? "text" : "result", asText ? text : tree);
    if (tree.containsKey(NEXT)) {
      line.put(NEXT, tree.get(NEXT));
    }
    return Json.line(line);
  }

  /** The line that answers a request that could not be done. */
  static String failure(int exit, String error, List<Finding> findings) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("ok", false);
    line.put("exit", exit);
    line.put("error", error);
    if (!findings.isEmpty()) {
      line.put("findings", findings.stream().map(Finding::tree).toList());
    }
    return Json.line(line);
  }

  /** A file that is refused: every finding on a line of its own. */
  static String refused(ConfigurationFileException e) {
    String lines = e.findings().stream().map(Finding::toString).collect(Collectors.joining("\n"));
    return failure(Lb.USAGE, lines, e.findings());
  }
}

package io.lb4j.examples.config;

import java.util.HashMap;
import java.util.Map;

/** Where each setting stands in the file, by the paths that the library's refusals use. Owned by one thread. */
final class SettingLines {
  private final Map<String, Integer> lines = new HashMap<>();

  void add(String setting, int line) {
    lines.putIfAbsent(setting, line);
  }

  void add(Section section) {
    add(section.name(), section.line());
    section.lines().forEach((key, line) -> add(section.name() + ": " + key, line));
  }

  boolean has(String setting) {
    return lines.containsKey(setting);
  }

  /** The line of the setting, else of what it belongs to; 0 when neither is in the file. */
  int lineOf(String setting) {
    String path = setting;
    while (true) {
      Integer line = lines.get(path);
      if (line != null) {
        return line;
      }
      int colon = path.lastIndexOf(": ");
      if (colon < 0) {
        return 0;
      }
      path = path.substring(0, colon);
    }
  }
}

package io.lb4j.examples.config;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One thing wrong with a configuration file. Immutable, shared.
 *
 * @param file the file's name
 * @param line counted from 1; 0 when it concerns the file as a whole
 * @param code stable, for example {@code unknown-key}
 * @param setting path of the setting, for example {@code service web: port}; may be empty
 * @param reason what is wrong, as a sentence without a full stop
 * @param remedy what to do, as a sentence without a full stop
 */
public record Finding(String file, int line, String code, String setting, String reason, String remedy) {
  /**
   * The finding as JSON members.
   *
   * @return in the order of printing
   */
  public Map<String, Object> tree() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("file", file);
    tree.put("line", line);
    tree.put("code", code);
    tree.put("setting", setting);
    tree.put("reason", reason);
    tree.put("remedy", remedy);
    return tree;
  }

  /** {@code FILE:LINE: setting: reason; remedy [code]}. */
  @Override
  public String toString() {
    String place = line > 0 ? file + ":" + line : file;
    String what = setting.isEmpty() ? reason : setting + ": " + reason;
    return place + ": " + what + "; " + remedy + " [" + code + "]";
  }
}

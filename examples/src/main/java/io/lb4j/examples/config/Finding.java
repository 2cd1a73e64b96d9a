package io.lb4j.examples.config;

import io.lb4j.settings.Severity;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * One thing to say about a configuration file. Immutable, shared.
 *
 * @param severity whether the file can be used as it is
 * @param file the file's name
 * @param line counted from 1; 0 when it concerns the file as a whole
 * @param code stable, for example {@code unknown-key}
 * @param setting path of the setting, for example {@code service web: port}; may be empty
 * @param reason what is wrong, as a sentence without a full stop
 * @param remedy what to do, as a sentence without a full stop
 */
public record Finding(
    Severity severity, String file, int line, String code, String setting, String reason, String remedy) {
  /**
   * A refusal.
   *
   * @param file the file's name
   * @param line counted from 1; 0 when it concerns the file as a whole
   * @param code stable
   * @param setting path of the setting; may be empty
   * @param reason what is wrong
   * @param remedy what to do
   */
  public Finding(String file, int line, String code, String setting, String reason, String remedy) {
    this(Severity.ERROR, file, line, code, setting, reason, remedy);
  }

  /**
   * The finding as JSON members.
   *
   * @return in the order of printing
   */
  public Map<String, Object> tree() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("file", file);
    tree.put("line", line);
    tree.put("severity", severity.name().toLowerCase(Locale.ROOT));
    tree.put("code", code);
    tree.put("setting", setting);
    tree.put("reason", reason);
    tree.put("remedy", remedy);
    return tree;
  }

  /** {@code FILE:LINE: setting: reason; remedy [code]}, with the severity after the line when it is no error. */
  @Override
  public String toString() {
    String place = line > 0 ? file + ":" + line : file;
    String what = setting.isEmpty() ? reason : setting + ": " + reason;
    String grade = severity == Severity.ERROR ? "" : severity.name().toLowerCase(Locale.ROOT) + ": ";
    return place + ": " + grade + what + "; " + remedy + " [" + code + "]";
  }
}

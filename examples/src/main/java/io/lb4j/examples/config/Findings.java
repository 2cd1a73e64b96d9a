package io.lb4j.examples.config;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Gathers what is wrong with one file while it is read. Owned by one thread. */
final class Findings {
  private static final int MOST = 100;
  private static final int LONGEST_VALUE = 200;
  private static final int LONGEST_REASON = 500;

  private final String file;
  private final List<Finding> found = new ArrayList<>();

  Findings(String file) {
    this.file = file;
  }

  String file() {
    return file;
  }

  void add(int line, String code, String setting, String reason, String remedy) {
    if (found.size() < MOST) {
      found.add(new Finding(file, line, code, setting, words(reason), remedy));
    }
  }

  void add(int line, ConfigurationError error, String setting, String reason) {
    add(line, error.code(), setting, reason, error.remedy());
  }

  void add(int line, String setting, ConfigurationException refused) {
    String own = refused.setting();
    String inner = setting.isEmpty() || own.startsWith(setting) ? own : setting;
    String value = Value.printable(String.valueOf(refused.value()), LONGEST_VALUE);
    add(line, refused.error().code(), inner, value + ": " + refused.reason(), refused.remedy());
  }

  /** A reason fit for a line of a terminal: it may have a value of the file in it. */
  static String words(String reason) {
    return Value.printable(reason, LONGEST_REASON);
  }

  /** Runs a step that reads one value; what it refuses is noted with the line. */
  void guard(int line, String setting, Runnable step) {
    try {
      step.run();
    } catch (ConfigurationException e) {
      add(line, setting, e);
    } catch (IllegalArgumentException e) {
      add(line, ConfigurationError.NOT_READABLE, setting, e.getMessage());
    }
  }

  boolean isEmpty() {
    return found.isEmpty();
  }

  List<Finding> list() {
    return found.stream().sorted(Comparator.comparingInt(Finding::line)).toList();
  }

  void throwIfAny() throws ConfigurationFileException {
    if (!found.isEmpty()) {
      throw ConfigurationFileException.of(list());
    }
  }
}

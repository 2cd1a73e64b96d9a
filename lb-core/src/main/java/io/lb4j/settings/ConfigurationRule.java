package io.lb4j.settings;

import java.util.List;
import java.util.stream.Stream;

/** A rule for configurations, whether it refuses or warns: a row of the linter's table. Immutable, shared. */
public sealed interface ConfigurationRule permits ConfigurationError, ConfigurationWarning {
  /**
   * The stable code.
   *
   * @return for example {@code services-overlap}
   */
  String code();

  /**
   * What it means to break it.
   *
   * @return an error is refused, the others are told
   */
  Severity severity();

  /**
   * What to do instead.
   *
   * @return a sentence without a full stop
   */
  String remedy();

  /**
   * The whole table.
   *
   * @return errors first
   */
  static List<ConfigurationRule> all() {
    return Stream.<ConfigurationRule>concat(
            Stream.of(ConfigurationError.values()), Stream.of(ConfigurationWarning.values()))
        .toList();
  }
}

package io.lb4j.examples.config;

import java.util.List;

/** A configuration file that cannot be used. Immutable; holds everything that was found. */
public final class ConfigurationFileException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<Finding> findings;
  private final boolean readable;

  private ConfigurationFileException(List<Finding> findings, boolean readable) {
    super(message(findings));
    this.findings = List.copyOf(findings);
    this.readable = readable;
  }

  /**
   * A file whose settings are wrong.
   *
   * @param findings one or more
   * @return the exception
   */
  static ConfigurationFileException of(List<Finding> findings) {
    return new ConfigurationFileException(findings, true);
  }

  /**
   * A file that could not be read at all.
   *
   * @param finding why
   * @return the exception
   */
  static ConfigurationFileException unreadable(Finding finding) {
    return new ConfigurationFileException(List.of(finding), false);
  }

  private static String message(List<Finding> findings) {
    int more = findings.size() - 1;
    return findings.get(0) + (more > 0 ? " (" + more + " more: see lb check)" : "");
  }

  /**
   * What was found.
   *
   * @return one or more, in the order of the file
   */
  public List<Finding> findings() {
    return findings;
  }

  /**
   * Whether there was a file to look at.
   *
   * @return false when it is missing or may not be read
   */
  public boolean isReadable() {
    return readable;
  }
}

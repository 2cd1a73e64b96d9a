package io.lb4j.settings;

/**
 * A setting that cannot be used: the one exception the builders throw. Traffic never causes it. It carries a stable
 * code, the setting, the value, the reason and the remedy, so that a command line can print them and a program can
 * tell them apart. Immutable.
 */
public final class ConfigurationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ConfigurationError error;
  private final String setting;
  private final String value;
  private final String reason;

  /**
   * A refused setting.
   *
   * @param error the stable code; it brings the remedy
   * @param setting path of the setting in the builder or the file, for example {@code service web: port}
   * @param value the value that was refused
   * @param reason why, as a sentence without a full stop
   */
  public ConfigurationException(ConfigurationError error, String setting, Object value, String reason) {
    super(setting + ": " + value + ": " + reason + "; " + error.remedy() + " [" + error.code() + "]");
    this.error = error;
    this.setting = setting;
    this.value = String.valueOf(value);
    this.reason = reason;
  }

  /**
   * Which rule was broken.
   *
   * @return the stable code
   */
  public ConfigurationError error() {
    return error;
  }

  /**
   * The setting's path.
   *
   * @return for example {@code service web: port}
   */
  public String setting() {
    return setting;
  }

  /**
   * The refused value.
   *
   * @return its text
   */
  public String value() {
    return value;
  }

  /**
   * Why it was refused.
   *
   * @return a sentence without a full stop
   */
  public String reason() {
    return reason;
  }

  /**
   * What to do instead.
   *
   * @return a sentence without a full stop
   */
  public String remedy() {
    return error.remedy();
  }
}

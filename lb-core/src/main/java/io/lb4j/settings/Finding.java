package io.lb4j.settings;

/**
 * A rule that a configuration breaks, and where. Immutable, shared; equal by value, so that what was told before is
 * known again.
 *
 * @param rule with its code, severity and remedy
 * @param setting path of the setting in the builder or the file, for example {@code service web: vip}
 * @param reason what is the matter, as a sentence without a full stop
 */
public record Finding(ConfigurationRule rule, String setting, String reason) {
  /**
   * What a builder or a change refused, as a finding.
   *
   * @param refused the exception
   * @return the same
   */
  public static Finding of(ConfigurationException refused) {
    return new Finding(refused.error(), refused.setting(), refused.value() + ": " + refused.reason());
  }

  /**
   * The rule's code.
   *
   * @return stable
   */
  public String code() {
    return rule.code();
  }

  /**
   * What it means.
   *
   * @return the rule's
   */
  public Severity severity() {
    return rule.severity();
  }

  /**
   * What to do.
   *
   * @return the rule's, a sentence without a full stop
   */
  public String remedy() {
    return rule.remedy();
  }

  /** {@code setting: reason; remedy [code]}. */
  @Override
  public String toString() {
    return setting + ": " + reason + "; " + rule.remedy() + " [" + rule.code() + "]";
  }
}

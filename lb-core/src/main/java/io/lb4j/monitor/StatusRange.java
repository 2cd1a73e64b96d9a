package io.lb4j.monitor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;

/**
 * HTTP status codes from one to another. Immutable, shared.
 *
 * @param first lowest, 100..599
 * @param last highest, {@code first}..599
 */
public record StatusRange(int first, int last) {
  /** Refuses codes that HTTP does not have. */
  public StatusRange {
    if (first < 100 || last > 599 || first > last) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "monitor: expect",
          first + "-" + last,
          "status codes are 100..599, lowest first");
    }
  }

  /**
   * Reads {@code 200} or {@code 200-299}.
   *
   * @param text one of the two forms
   * @return the range
   * @throws ConfigurationException when the text is anything else
   */
  public static StatusRange of(String text) {
    if (!text.matches("[0-9]{3}(-[0-9]{3})?")) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE, "monitor: expect", text, "neither a status code nor a range like 200-299");
    }
    int first = Integer.parseInt(text.substring(0, 3));
    return new StatusRange(first, text.length() == 3 ? first : Integer.parseInt(text.substring(4)));
  }

  /**
   * Whether a code is one of these.
   *
   * @param status of an answer
   * @return true when it is
   */
  public boolean contains(int status) {
    return status >= first && status <= last;
  }

  @Override
  public String toString() {
    return first == last ? Integer.toString(first) : first + "-" + last;
  }
}

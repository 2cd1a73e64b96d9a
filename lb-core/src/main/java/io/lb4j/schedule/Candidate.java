package io.lb4j.schedule;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;

/**
 * A real server that takes new flows. Immutable, shared.
 *
 * @param identity what the server is called on every instance: its address and port; hashing disciplines place it by
 *     this text, never by its position
 * @param weight 1..65535
 */
public record Candidate(String identity, int weight) {
  /** The largest weight. */
  public static final int MAX_WEIGHT = 65535;

  /**
   * A candidate.
   *
   * @throws ConfigurationException when the identity is blank or the weight outside its range
   */
  public Candidate {
    if (identity.isBlank()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "candidate: identity", identity, "a candidate needs a name");
    }
    if (weight < 1 || weight > MAX_WEIGHT) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "candidate " + identity + ": weight",
          weight,
          "a server that takes new flows has a weight of 1 to " + MAX_WEIGHT);
    }
  }
}

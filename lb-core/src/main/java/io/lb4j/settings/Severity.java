package io.lb4j.settings;

/** What a broken rule means for whoever declared it. Immutable, shared. */
public enum Severity {
  /** It is refused: nothing is built, nothing changes. */
  ERROR,
  /** It runs, and some traffic will be lost, or something will not happen that was asked for. */
  WARNING,
  /** It runs; what is said may be as intended. */
  INFORMATION
}

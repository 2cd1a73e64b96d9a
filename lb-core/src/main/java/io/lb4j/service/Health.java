package io.lb4j.service;

/** What monitors found out about a real server. */
public enum Health {
  /** No monitor has spoken yet, or there is none: counts as up, so that a start loses no traffic. */
  UNKNOWN,
  /** The monitors are content. */
  UP,
  /** The monitors are not. */
  DOWN;

  /**
   * Whether traffic may go to the server.
   *
   * @return false for {@link #DOWN}
   */
  public boolean serves() {
    return this != DOWN;
  }
}

package io.lb4j.service;

/** What an operator wants of a real server, whatever its health. */
public enum Activity {
  /** Takes new flows. */
  ONLINE(true, true),
  /** Takes no new flows but those of clients that persistence sends; established flows continue. */
  DRAIN(false, true),
  /** Takes nothing: established flows end. */
  OFFLINE(false, false),
  /** Takes new flows while no online server, and no standby server of a lower tier, can. */
  STANDBY(true, true);

  private final boolean takesNewFlows;
  private final boolean keepsFlows;

  Activity(boolean takesNewFlows, boolean keepsFlows) {
    this.takesNewFlows = takesNewFlows;
    this.keepsFlows = keepsFlows;
  }

  /**
   * Whether a scheduler may ever pick the server.
   *
   * @return true for {@link #ONLINE}, and for {@link #STANDBY} when its turn has come
   */
  public boolean takesNewFlows() {
    return takesNewFlows;
  }

  /**
   * Whether established flows, and clients that persistence knows, stay.
   *
   * @return false for {@link #OFFLINE}
   */
  public boolean keepsFlows() {
    return keepsFlows;
  }
}

package io.lb4j.neighbor;

/** What is known of a next hop, in the words of RFC 4861, section 7.3.2. Immutable, shared. */
public enum NeighborState {
  /** The next hop does not answer, or its id is not registered; the first, since an empty word of the table says so. */
  FAILED(false),
  /** No MAC address yet: nobody asked for it, or an answer is awaited. */
  INCOMPLETE(false),
  /** The MAC address was confirmed within the reachable time. */
  REACHABLE(true),
  /** The MAC address is used, but was not confirmed: it will be probed. */
  STALE(true),
  /** The MAC address is used while unicast probes ask for a confirmation. */
  PROBE(true),
  /** The operator fixed the MAC address; the network cannot change it. */
  STATIC(true);

  private static final NeighborState[] VALUES = values();

  private final boolean resolved;

  NeighborState(boolean resolved) {
    this.resolved = resolved;
  }

  /**
   * Whether frames can be sent.
   *
   * @return true when there is a MAC address
   */
  public boolean isResolved() {
    return resolved;
  }

  static NeighborState of(int ordinal) {
    return VALUES[ordinal];
  }
}

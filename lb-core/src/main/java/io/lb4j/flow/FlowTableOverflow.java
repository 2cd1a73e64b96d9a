package io.lb4j.flow;

/**
 * What happens to a new flow when the table has no room. Whatever the choice, half-open flows of one family may use
 * only their share ({@link FlowTable#EMBRYONIC_SHARE}), and beyond it a new one takes the place of another of them.
 */
public enum FlowTableOverflow {
  /** A half-open flow gives way, else one that has ended; established flows never do, the new flow is refused. */
  EVICT_EMBRYONIC,
  /** As before, and then the least recently seen flow near the new one's place gives way. */
  EVICT_OLDEST,
  /** The new flow is refused. */
  REJECT
}

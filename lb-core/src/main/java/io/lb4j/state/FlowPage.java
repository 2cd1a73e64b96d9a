package io.lb4j.state;

import java.util.List;

/**
 * Some of the flows that a filter means. Immutable, shared.
 *
 * <p>A flow that is there from the first page to the last is on one of them, once; a session of a translator may be on
 * two when others end meanwhile. What begins or ends between two pages is listed or not.
 *
 * @param flows by worker, in no other order
 * @param next position of the next page, meaningful to the same balancer only; negative when there is none
 */
public record FlowPage(List<FlowEntry> flows, long next) {
  /** An unmodifiable list. */
  public FlowPage {
    flows = List.copyOf(flows);
  }

  /**
   * Whether all flows were looked at.
   *
   * @return false while there may be more
   */
  public boolean isLast() {
    return next < 0;
  }
}

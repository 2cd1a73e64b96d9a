package io.lb4j.flow;

/**
 * What the table asks and tells about flows. Owned by the worker that owns the table; called from within its methods,
 * never per frame of a known flow.
 */
public interface FlowListener {
  /** Why a flow ended. */
  enum End {
    /** No frame came for its time-out. */
    EXPIRED,
    /** It gave way to a new flow. */
    EVICTED,
    /** It was replaced or taken back by the data path. */
    REMOVED
  }

  /**
   * How long a flow may be silent.
   *
   * @param binding of the flow
   * @param state of the flow
   * @return ticks of {@link FlowTable#TICK_NS}; negative when the binding is gone and the flow is to end now
   */
  int timeoutTicks(int binding, FlowState state);

  /**
   * Whether a binding is there. If it is, none of its time-outs is below a second, and they need not be asked for flows
   * of {@link FlowTable#FRESH_TICKS}.
   *
   * @param binding of a flow
   * @return false when its flows are to be judged by {@link #timeoutTicks}
   */
  default boolean isKnown(int binding) {
    return false;
  }

  /**
   * A flow is about to leave the table; its handle can still be asked.
   *
   * @param table the table
   * @param handle of the flow
   * @param end why
   */
  void onEnd(FlowTable table, int handle, End end);

  /**
   * The sweep found a flow alive.
   *
   * @param table the table
   * @param handle of the flow
   */
  void onAlive(FlowTable table, int handle);
}

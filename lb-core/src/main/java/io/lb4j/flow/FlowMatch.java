package io.lb4j.flow;

import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowRecord.Kind;
import java.util.BitSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which flows are meant, in terms of the tables that keep them: every condition has to hold, and one that is null
 * always does. Immutable, shared.
 *
 * @param kinds whose they are
 * @param bindings of their servers; one bit each, never changed
 * @param protocol in the IP header; 0 for any
 * @param states where they stand
 * @param source network of the client or inside host
 * @param destination network of the virtual address or outside host
 * @param destinationPort its port; 0 for any
 * @param leastIdleNs silent for so long at least
 * @param mostIdleNs silent for so long at most
 */
public record FlowMatch(
    @Nullable Set<Kind> kinds,
    @Nullable BitSet bindings,
    int protocol,
    @Nullable Set<FlowState> states,
    @Nullable IpPrefix source,
    @Nullable IpPrefix destination,
    int destinationPort,
    long leastIdleNs,
    long mostIdleNs) {
  /** Every flow. */
  public static final FlowMatch ALL = new FlowMatch(null, null, 0, null, null, null, 0, 0, Long.MAX_VALUE);

  /**
   * Whether a flow of some kind can be meant.
   *
   * @param kind the kind
   * @return false when none of it is
   */
  public boolean mayBe(Kind kind) {
    return kinds == null || kinds.contains(kind);
  }

  /**
   * Whether a flow or session is meant.
   *
   * @param flow as a record
   * @return true when all conditions hold
   */
  public boolean matches(FlowRecord flow) {
    return mayBe(flow.kind())
        && isOf(flow.binding(), flow.state(), flow.idleNs())
        && isTo(flow.protocol(), flow.destinationPort())
        && (source == null || source.contains(flow.source()))
        && (destination == null || destination.contains(flow.destination()));
  }

  /** The same for a flow in its table, so that no record is made of one that is not meant. */
  boolean matches(FlowTable table, int handle, int tick) {
    boolean v6 = table.isV6(handle);
    return mayBe(Kind.DIRECT)
        && isOf(table.binding(handle), table.state(handle), table.age(handle, tick) * FlowTable.TICK_NS)
        && isTo(table.protocol(handle), table.ports(handle) & 0xFFFF)
        && (source == null || source.contains(v6, table.sourceHigh(handle), table.sourceLow(handle)))
        && (destination == null
            || destination.contains(v6, table.destinationHigh(handle), table.destinationLow(handle)));
  }

  private boolean isOf(int binding, FlowState state, long idleNs) {
    return (bindings == null || bindings.get(binding))
        && (states == null || states.contains(state))
        && idleNs >= leastIdleNs
        && idleNs <= mostIdleNs;
  }

  private boolean isTo(int flowProtocol, int port) {
    return (protocol == 0 || protocol == flowProtocol) && (destinationPort == 0 || destinationPort == port);
  }
}

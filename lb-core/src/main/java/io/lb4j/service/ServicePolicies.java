package io.lb4j.service;

import java.time.Duration;
import java.util.Optional;

/**
 * What an operator decides about a service's flows, beside where they go. Immutable, shared; {@link #DEFAULTS} and the
 * withers of {@link VirtualServiceBuilder} make it.
 *
 * @param access which clients may use the service
 * @param limit connections on its online servers, at most; standby servers have limits of their own
 * @param overflow what becomes of a new flow that a limit refuses
 * @param drain what persistence means for a server that drains
 * @param whenAllDown where new flows go when no server is healthy
 * @param whenDown what becomes of flows whose server monitors call down
 * @param whenRemoved what becomes of flows whose server was removed or is offline
 * @param onePacket whether every datagram is scheduled by itself, and no flow is made
 * @param adoption whether a TCP segment of an unknown connection is scheduled like a first one; nothing when that is
 *     left to the scheduler: one that hashes finds the server that the connection had before a restart
 * @param resetOnIdle whether both ends are reset when an established connection was silent for too long
 * @param slowStart how long a server takes to reach its whole weight after it has recovered or was added; 0 for at once
 * @param group services of one group share their clients, for persistence of that scope; nothing when in none
 */
public record ServicePolicies(
    AccessList access,
    ConnectionLimit limit,
    Overflow overflow,
    DrainBehavior drain,
    WhenAllDown whenAllDown,
    LostFlows whenDown,
    LostFlows whenRemoved,
    boolean onePacket,
    Optional<Boolean> adoption,
    boolean resetOnIdle,
    Duration slowStart,
    Optional<String> group) {

  /** Everybody, without limits; clients of draining servers keep coming; closed when all servers are down. */
  public static final ServicePolicies DEFAULTS =
      new ServicePolicies(
          AccessList.EVERYBODY,
          ConnectionLimit.NONE,
          Overflow.DROP,
          DrainBehavior.PERSISTENCE_DRIVEN,
          WhenAllDown.CLOSED,
          LostFlows.WHEN_DOWN,
          LostFlows.WHEN_REMOVED,
          false,
          Optional.empty(),
          false,
          Duration.ZERO,
          Optional.empty());
}

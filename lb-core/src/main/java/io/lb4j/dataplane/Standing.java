package io.lb4j.dataplane;

import io.lb4j.service.LostFlows;

/**
 * What a real server may be used for now, by its activity and its health. Immutable, shared.
 *
 * @param takesNewFlows whether the scheduler may pick it
 * @param keepsFlows whether established flows go on
 * @param lost what becomes of an established flow when they do not
 * @param honorsClients whether persistence may send its clients' new flows
 * @param extendsClients whether such visits extend the persistence
 */
public record Standing(
    boolean takesNewFlows,
    boolean keepsFlows,
    LostFlows.Fate lost,
    boolean honorsClients,
    boolean extendsClients) {}

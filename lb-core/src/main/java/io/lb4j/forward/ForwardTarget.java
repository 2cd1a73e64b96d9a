package io.lb4j.forward;

import io.lb4j.address.IpAddress;

/**
 * A real server as the data path needs it. Immutable, shared.
 *
 * @param address of the server
 * @param port of the server; 0 when it is the service's own
 * @param link index of the interface its frames leave by
 * @param neighbor id of its next hop in the neighbour table
 */
public record ForwardTarget(IpAddress address, int port, int link, int neighbor) {}

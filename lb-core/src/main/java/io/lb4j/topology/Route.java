package io.lb4j.topology;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;

/**
 * A route beyond the connected networks. Immutable, shared.
 *
 * @param to the destination
 * @param via the router, an address on a connected network
 */
public record Route(IpPrefix to, IpAddress via) {}

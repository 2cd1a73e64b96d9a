package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A client that persistence remembers. Immutable, shared.
 *
 * @param client its address, or its network where networks count as one client
 * @param port that it uses; 0 where ports do not count
 * @param server name of its real server; null when another service that shares the clients has it, and this one not
 * @param address of its real server
 * @param remaining until it is forgotten, unless it comes again
 */
public record ClientEntry(
    IpPrefix client, int port, @Nullable String server, IpAddress address, Duration remaining) {}

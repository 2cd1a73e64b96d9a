package io.lb4j.monitor;

import io.lb4j.address.IpAddress;
import java.time.Duration;

/**
 * The server that a probe is for. Immutable, shared.
 *
 * @param service name of its service
 * @param server its name within the service
 * @param address where it is
 * @param port the monitor's, else the server's, else the service's own; 0 when the service has many
 * @param timeout how long the probe may take
 */
public record ProbeTarget(String service, String server, IpAddress address, int port, Duration timeout) {}

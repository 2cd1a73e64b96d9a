package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowState;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A flow, as it is listed. Immutable, shared.
 *
 * @param kind whose it is
 * @param protocol in the IP header
 * @param source the client, or the inside host
 * @param sourcePort its port, or the identifier of an ICMP query
 * @param destination the virtual address, or whom the inside host talks to
 * @param destinationPort its port; 0 for an ICMP query
 * @param translated the source as the other side sees it; null where the source stays
 * @param translatedPort its port or identifier; 0 where the source stays
 * @param service name of its service; null when it is no service's
 * @param server name of its real server; null when it is no service's
 * @param state where it stands
 * @param idle since its last frame, in steps of about a quarter of a second
 * @param worker that owns it
 */
public record FlowEntry(
    FlowRecord.Kind kind,
    int protocol,
    IpAddress source,
    int sourcePort,
    IpAddress destination,
    int destinationPort,
    @Nullable IpAddress translated,
    int translatedPort,
    @Nullable String service,
    @Nullable String server,
    FlowState state,
    Duration idle,
    int worker) {}

package io.lb4j.flow;

import io.lb4j.address.IpAddress;
import org.jspecify.annotations.Nullable;

/**
 * A flow or session as it is listed, saved and restored; made outside the way of frames only. Immutable, shared.
 *
 * @param kind whose it is
 * @param protocol 6, 17, 1 or 58
 * @param source a client, or the inside host, whoever of the two began it
 * @param sourcePort its port, or the identifier of an ICMP query
 * @param destination a virtual address, or whom the inside host talks to
 * @param destinationPort its port; 0 for an ICMP query
 * @param translated the source as the other side sees it; null where the source stays
 * @param translatedPort its port or identifier; 0 where the source stays
 * @param binding the service's real server; 0 when it is no service's
 * @param state where it stands
 * @param sequence the source's next sequence number, as far as its owner keeps it
 * @param detail the owner's own, saved and restored as it is
 * @param idleNs nanoseconds since its last frame, rounded as the owner keeps them
 */
public record FlowRecord(
    Kind kind,
    int protocol,
    IpAddress source,
    int sourcePort,
    IpAddress destination,
    int destinationPort,
    @Nullable IpAddress translated,
    int translatedPort,
    int binding,
    FlowState state,
    int sequence,
    long detail,
    long idleNs) {

  /** Whose a flow is. */
  public enum Kind {
    /** A service's whose addresses stay: the flow table keeps it. */
    DIRECT,
    /** A service's that is translated: the translator keeps it. */
    TRANSLATED,
    /** Of an inside host and one outside, whoever began it: the translator keeps it. */
    OUTBOUND
  }
}

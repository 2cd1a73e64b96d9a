package io.lb4j.gateway.nat;

import io.lb4j.frame.FrameView;
import io.lb4j.wire.IcmpHeader;

/**
 * Addresses, ports and protocol of one direction, as it stands on the wire. An ICMP query has its identifier in place
 * of both ports. Owned by one worker and used again.
 */
final class Tuple {
  boolean v6;
  long sourceHigh;
  long sourceLow;
  long destinationHigh;
  long destinationLow;
  int ports; // source << 16 | destination
  int protocol;

  int sourcePort() {
    return ports >>> 16;
  }

  int destinationPort() {
    return ports & 0xFFFF;
  }

  static int ports(int source, int destination) {
    return source << 16 | destination;
  }

  void setSource(long high, long low, int port) {
    sourceHigh = high;
    sourceLow = low;
    ports = ports(port, destinationPort());
  }

  void setDestination(long high, long low, int port) {
    destinationHigh = high;
    destinationLow = low;
    ports = ports(sourcePort(), port);
  }

  Tuple of(FrameView view) {
    v6 = view.isV6();
    sourceHigh = view.sourceHigh();
    sourceLow = view.sourceLow();
    destinationHigh = view.destinationHigh();
    destinationLow = view.destinationLow();
    protocol = view.protocol();
    ports = view.ports();
    return this;
  }

  Tuple ofQuery(FrameView view) {
    of(view);
    int identifier = view.buffer().getUnsignedShort(view.transport() + IcmpHeader.IDENTIFIER_OFFSET);
    ports = ports(identifier, identifier);
    return this;
  }

  Tuple of(Tuple other) {
    v6 = other.v6;
    sourceHigh = other.sourceHigh;
    sourceLow = other.sourceLow;
    destinationHigh = other.destinationHigh;
    destinationLow = other.destinationLow;
    protocol = other.protocol;
    ports = other.ports;
    return this;
  }

  /** The other direction of another tuple, or of this one. */
  Tuple reverse(Tuple other) {
    long high = other.sourceHigh;
    long low = other.sourceLow;
    v6 = other.v6;
    protocol = other.protocol;
    ports = Integer.rotateLeft(other.ports, 16);
    sourceHigh = other.destinationHigh;
    sourceLow = other.destinationLow;
    destinationHigh = high;
    destinationLow = low;
    return this;
  }

  boolean sameSource(Tuple other) {
    return sourceLow == other.sourceLow && sourceHigh == other.sourceHigh;
  }

  boolean sameDestination(Tuple other) {
    return destinationLow == other.destinationLow && destinationHigh == other.destinationHigh;
  }
}

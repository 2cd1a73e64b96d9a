package io.lb4j.pcap.packet;

import io.lb4j.pcap.LivePortFixture;

/** A veth pair for a test, and its ports through packet sockets. */
abstract class PacketPortFixture extends LivePortFixture {
  final PacketPort open(String device) {
    return open(PacketPort.builder(device));
  }

  final PacketPort open(PacketPort.Builder builder) {
    return closedAfterwards(builder.open());
  }

  final PacketPort open(String device, Latency latency) {
    return open(PacketPort.builder(device).latency(latency));
  }
}

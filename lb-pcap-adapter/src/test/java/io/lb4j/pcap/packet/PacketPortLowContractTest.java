package io.lb4j.pcap.packet;

import org.junit.jupiter.api.Tag;

/** Frames handed over one by one. */
@Tag("root")
class PacketPortLowContractTest extends PacketPortBulkContractTest {
  @Override
  PacketPort.Builder builder(String device) {
    return PacketPort.builder(device).latency(Latency.LOW);
  }
}

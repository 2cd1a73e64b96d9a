package io.lb4j.pcap.packet;

import org.junit.jupiter.api.Tag;

/** The smallest ring, which is gone round often, and a queueing discipline passed by. */
@Tag("root")
class PacketPortSmallRingContractTest extends PacketPortBulkContractTest {
  @Override
  PacketPort.Builder builder(String device) {
    return PacketPort.builder(device).latency(Latency.BULK).ringSize(RingRequest.LEAST_SIZE).qdiscBypass(true);
  }
}

package io.lb4j.pcap;

import org.junit.jupiter.api.Tag;

/** The way that systems without packet sockets take, run on Linux by the same rules. */
@Tag("root")
class PcapPortInjectContractTest extends PcapPortContractTest {
  @Override
  PcapPort.Builder builder(String device) {
    return PcapPort.builder(device).packetSocket(false).promiscuous(true);
  }
}

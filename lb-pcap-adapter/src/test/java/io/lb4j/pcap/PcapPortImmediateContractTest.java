package io.lb4j.pcap;

import org.junit.jupiter.api.Tag;

/** Frames handed over one by one. */
@Tag("root")
class PcapPortImmediateContractTest extends PcapPortContractTest {
  @Override
  PcapPort.Builder builder(String device) {
    return PcapPort.builder(device).immediate(true);
  }
}

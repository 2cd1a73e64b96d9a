package io.lb4j.pcap;

/** A veth pair for a test, and its ports through libpcap. */
abstract class PcapPortFixture extends LivePortFixture {
  final PcapPort open(String device) {
    return open(PcapPort.builder(device));
  }

  final PcapPort open(PcapPort.Builder builder) {
    return closedAfterwards(builder.open());
  }
}

package io.lb4j.pcap.packet;

import io.lb4j.pcap.VethPair;
import io.lb4j.testkit.PortContract;
import org.junit.jupiter.api.Tag;

/** Frames gathered into blocks. */
@Tag("root")
class PacketPortBulkContractTest extends PortContract {
  private VethPair pair;

  @Override
  protected ConnectedPorts connect() {
    pair = VethPair.create();
    return new ConnectedPorts(builder(pair.left).open(), builder(pair.right).open());
  }

  PacketPort.Builder builder(String device) {
    return PacketPort.builder(device).latency(Latency.BULK);
  }

  @Override
  protected void disconnect() {
    if (pair != null) {
      pair.close();
    }
  }
}

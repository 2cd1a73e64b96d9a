package io.lb4j.pcap;

import io.lb4j.testkit.PortContract;
import org.junit.jupiter.api.Tag;

@Tag("root")
class PcapPortContractTest extends PortContract {
  private VethPair pair;

  @Override
  protected ConnectedPorts connect() {
    pair = VethPair.create();
    return new ConnectedPorts(builder(pair.left).open(), builder(pair.right).open());
  }

  PcapPort.Builder builder(String device) {
    return PcapPort.builder(device);
  }

  @Override
  protected void disconnect() {
    if (pair != null) {
      pair.close();
    }
  }
}

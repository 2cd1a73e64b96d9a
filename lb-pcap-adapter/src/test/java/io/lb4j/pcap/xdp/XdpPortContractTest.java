package io.lb4j.pcap.xdp;

import io.lb4j.pcap.VethPair;
import io.lb4j.testkit.PortContract;
import org.junit.jupiter.api.Tag;

/** Ports that have their own memory each. */
@Tag("root")
class XdpPortContractTest extends PortContract {
  private VethPair pair;

  @Override
  protected ConnectedPorts connect() {
    pair = VethPair.create();
    return new ConnectedPorts(builder(pair.left).open(), builder(pair.right).open());
  }

  XdpPort.Builder builder(String device) {
    return XdpPort.builder(device).everything(true);
  }

  @Override
  protected void disconnect() {
    if (pair != null) {
      pair.close();
    }
  }
}

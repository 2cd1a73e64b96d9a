package io.lb4j.pcap.xdp;

import io.lb4j.port.PortException;
import io.lb4j.port.PortStatus;

/** Opens an interface, says so, and stays until it is killed; or says why it cannot. Started by tests. */
final class XdpOpenProbe {
  private XdpOpenProbe() {}

  public static void main(String[] args) throws InterruptedException {
    int ringSize = args.length > 1 ? Integer.parseInt(args[1]) : XdpPort.LEAST_RING_SIZE;
    try (XdpPort port = XdpPort.builder(args[0]).ringSize(ringSize).open()) {
      System.out.println(port.status() == PortStatus.UP ? "open" : "not up");
      if (args.length == 1) {
        Thread.sleep(60_000);
      }
    } catch (PortException e) {
      System.out.println(e.reason() + " " + e.getMessage());
    }
  }
}

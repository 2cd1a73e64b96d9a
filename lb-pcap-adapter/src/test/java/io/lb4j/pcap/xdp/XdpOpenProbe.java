package io.lb4j.pcap.xdp;

/** Opens an interface, says so, and stays until it is killed. Started by tests. */
final class XdpOpenProbe {
  private XdpOpenProbe() {}

  public static void main(String[] args) throws InterruptedException {
    XdpPort port = XdpPort.builder(args[0]).ringSize(64).open();
    System.out.println("open");
    Thread.sleep(60_000);
    port.close();
  }
}

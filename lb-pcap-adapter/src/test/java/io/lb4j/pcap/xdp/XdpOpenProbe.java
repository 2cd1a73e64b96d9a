package io.lb4j.pcap.xdp;

import io.lb4j.port.PortException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Opens interfaces that share a memory, says so, and stays until it is killed; or says why it cannot. Started by tests,
 * with the size of rings, how long to stay in milliseconds, and the interfaces.
 */
final class XdpOpenProbe {
  private XdpOpenProbe() {}

  public static void main(String[] args) throws InterruptedException {
    int ringSize = Integer.parseInt(args[0]);
    List<XdpPort.Builder> options =
        Arrays.stream(args).skip(2).map(device -> XdpPort.builder(device).ringSize(ringSize)).toList();
    List<XdpPort> ports = new ArrayList<>();
    try {
      XdpMemory memory = XdpMemory.sharedBy(options);
      options.forEach(each -> ports.add(each.memory(memory).open()));
      System.out.println("open");
      Thread.sleep(Integer.parseInt(args[1]));
    } catch (PortException e) {
      System.out.println(e.reason() + " " + e.getMessage());
    }
    ports.forEach(XdpPort::close);
  }
}

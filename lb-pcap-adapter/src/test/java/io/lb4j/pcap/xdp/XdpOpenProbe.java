package io.lb4j.pcap.xdp;

import io.lb4j.port.PortException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Opens interfaces, several in a memory that they share, says so, and stays until it is killed; or says why it cannot.
 * Started by tests, with the size of rings, how long to stay in milliseconds, and the interfaces.
 */
final class XdpOpenProbe {
  private XdpOpenProbe() {}

  public static void main(String[] args) throws InterruptedException {
    int ringSize = Integer.parseInt(args[0]);
    List<XdpPort.Builder> options =
        Arrays.stream(args).skip(2).map(device -> XdpPort.builder(device).ringSize(ringSize)).toList();
    List<XdpPort> ports = new ArrayList<>();
    try {
      if (options.size() > 1) {
        XdpMemory memory = XdpMemory.sharedBy(options);
        options.forEach(each -> each.memory(memory));
      }
      options.forEach(each -> ports.add(each.open()));
      System.out.println("open");
      Thread.sleep(Integer.parseInt(args[1]));
    } catch (PortException e) {
      System.out.println(e.reason() + " " + e.getMessage());
    }
    ports.forEach(XdpPort::close);
  }
}

package io.lb4j.pcap.live;

import io.lb4j.pcap.ResourceLimit;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.port.PortException;
import java.util.ArrayList;
import java.util.List;

/** Run in a JVM of its own: opens an interface, says what came of it, and what is left when it is closed. */
final class LivePortProbe {
  private LivePortProbe() {}

  public static void main(String[] arguments) {
    List<String> before = ResourceLimit.open();
    LivePorts options = LivePorts.of(arguments[2])
        .io(LiveIo.valueOf(arguments[0]))
        .latency(Latency.valueOf(arguments[1]));
    try {
      LivePort live = options.open();
      System.out.println("OPENED " + live.choice());
      live.port().close();
    } catch (PortException e) {
      System.out.println("REASON " + e.reason() + " MESSAGE " + e.getMessage());
    }
    List<String> left = new ArrayList<>(ResourceLimit.open());
    before.forEach(left::remove);
    System.out.println("LEFT " + left);
  }
}

package io.lb4j.pcap.packet;

import io.lb4j.address.MacAddress;
import io.lb4j.port.PortException;

/** Run in a JVM of its own: opens an interface, and says what came of it. */
final class PacketPortProbe {
  private PacketPortProbe() {}

  public static void main(String[] arguments) {
    try (PacketPort port = PacketPort.builder(arguments[0]).queues(2).promiscuous(true).open()) {
      System.out.println("OPENED " + port.status() + " " + port.latency() + " " + port.warnings());
      port.join(MacAddress.of("33:33:ff:00:00:10"));
      port.join(MacAddress.of("02:00:5e:00:01:07"));
      System.out.println("JOINED");
    } catch (PortException e) {
      System.out.println("REASON " + e.reason() + " MESSAGE " + e.getMessage());
    }
  }
}

package io.lb4j.pcap;

import io.lb4j.address.MacAddress;
import io.lb4j.port.PortException;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.channels.Channels;

/** Run in a JVM of its own: opens an interface and a capture, and says what came of it. */
final class OpenProbe {
  private OpenProbe() {}

  public static void main(String[] arguments) throws Exception {
    try (PcapPort port = PcapPort.open(arguments[0])) {
      System.out.println("OPENED " + port.status());
      port.join(MacAddress.of("33:33:ff:00:00:10"));
      port.join(MacAddress.of("02:00:5e:00:01:07"));
      System.out.println("JOINED");
      try (PcapPort promiscuous = PcapPort.builder(arguments[0]).promiscuous(true).open()) {
        System.out.println("PROMISCUOUS " + promiscuous.status());
      }
    } catch (PortException e) {
      System.out.println("REASON " + e.reason() + " MESSAGE " + e.getMessage());
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (CaptureWriter writer =
        CaptureWriter.create(Channels.newChannel(file), "memory", CaptureFormat.PCAP_NANOSECONDS)) {
      writer.addInterface("eth0");
      writer.write(0, 1, Unpooled.buffer().writeZero(60), 0, 60);
    }
    try (CaptureReader reader = CaptureBytes.reader(file.toByteArray())) {
      System.out.println("CAPTURE " + reader.next());
    }
  }
}

package io.lb4j.pcap;

import java.nio.ByteOrder;
import java.util.List;

/**
 * The classic format: a header of 24 bytes, then records of 16 bytes and data (draft-ietf-opsawg-pcap). Owned by its
 * reader.
 */
final class PcapParser implements CaptureParser {
  static final int MICROSECONDS_MAGIC = 0xA1B2C3D4;
  static final int NANOSECONDS_MAGIC = 0xA1B23C4D;

  private static final int FCS_PRESENT = 0x0400_0000;

  private final CaptureInput input;
  private final CaptureFormat format;
  private final CaptureInterface device;
  private final int fcsLength;

  /** Reads the header behind its magic number. */
  PcapParser(CaptureInput input, ByteOrder order, CaptureFormat format)
      throws CaptureException, CaptureInput.Truncated {
    this.input = input;
    this.format = format;
    input.order(order);
    int major = input.uint16();
    int minor = input.uint16();
    if (major != 2) {
      throw input.malformed("pcap version " + major + "." + minor + "; version 2 can be read");
    }
    input.skip(8); // time zone and accuracy, unused
    long snapLength = input.uint32();
    int link = input.int32();
    int linkType = link & 0xFFFF;
    if (linkType != ETHERNET) {
      throw input.malformed("link type " + linkType + "; only Ethernet (1) can be read");
    }
    fcsLength = (link & FCS_PRESENT) == 0 ? 0 : 2 * (link >>> 28);
    device = new CaptureInterface(0, "", linkType, snapLength);
  }

  @Override
  public boolean next(CapturedPacket packet) throws CaptureException, CaptureInput.Truncated {
    input.beginRecord();
    if (input.atEnd()) {
      return false;
    }
    long seconds = input.uint32();
    long fraction = input.uint32();
    long captured = input.uint32();
    long wire = input.uint32();
    if (captured > CapturedPacket.MAX_LENGTH) {
      throw input.malformed(CapturedPacket.tooLong(captured));
    }
    packet.begin(0);
    packet.timestampNs =
        seconds * 1_000_000_000L + (format == CaptureFormat.PCAP_NANOSECONDS ? fraction : fraction * 1000);
    input.read(packet.data, (int) captured);
    packet.end(wire, fcsLength);
    return true;
  }

  @Override
  public CaptureFormat format() {
    return format;
  }

  @Override
  public List<CaptureInterface> interfaces() {
    return List.of(device);
  }
}

package io.lb4j.pcap;

import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The block format (draft-ietf-opsawg-pcapng): sections of either byte order, interface descriptions, enhanced, simple
 * and obsolete packet blocks; other blocks and options are stepped over. Owned by its reader.
 */
final class PcapngParser implements CaptureParser {
  static final int SECTION_HEADER = 0x0A0D0D0A;
  static final int BYTE_ORDER_MAGIC = 0x1A2B3C4D;
  static final int INTERFACE_DESCRIPTION = 1;
  static final int OBSOLETE_PACKET = 2;
  static final int SIMPLE_PACKET = 3;
  static final int ENHANCED_PACKET = 6;

  static final int COMMENT = 1;
  static final int PACKET_FLAGS = 2;
  static final int IF_NAME = 2;
  static final int IF_TSRESOL = 9;
  static final int IF_FCSLEN = 13;
  static final int IF_TSOFFSET = 14;

  /** Bytes around a block's body: type, length, length. */
  static final int FRAMING = 12;

  private static final int MAX_BLOCK = 16 * 1024 * 1024; // of the blocks that are read; others are stepped over
  private static final int MAX_INTERFACES = 4096;
  private static final int MAX_NAME = 256;
  private static final int MAX_COMMENT = 4096;

  private final CaptureInput input;
  private final List<Device> devices = new ArrayList<>();
  private final List<CaptureInterface> interfaces = new ArrayList<>();
  private int sectionStart; // the section's interface 0 in the lists
  private long body; // bytes of the block's body that were not read yet

  private record Device(TimestampResolution resolution, int fcsLength) {}

  /** Reads the first section's header behind its block type. */
  PcapngParser(CaptureInput input) throws CaptureException, CaptureInput.Truncated {
    this.input = input;
    readSection();
  }

  @Override
  public boolean next(CapturedPacket packet) throws CaptureException, CaptureInput.Truncated {
    boolean found = false;
    while (!found) {
      input.beginRecord();
      if (input.atEnd()) {
        return false;
      }
      found = readBlock(packet);
    }
    return true;
  }

  private boolean readBlock(CapturedPacket packet) throws CaptureException, CaptureInput.Truncated {
    int type = input.int32();
    if (type == SECTION_HEADER) {
      readSection();
      return false;
    }
    boolean known =
        type == INTERFACE_DESCRIPTION || type == ENHANCED_PACKET || type == SIMPLE_PACKET || type == OBSOLETE_PACKET;
    long length = beginBody(known ? MAX_BLOCK : 0xFFFF_FFFFL);
    switch (type) {
      case INTERFACE_DESCRIPTION -> readInterface();
      case ENHANCED_PACKET -> readPacket(packet, false);
      case OBSOLETE_PACKET -> readPacket(packet, true);
      case SIMPLE_PACKET -> readSimplePacket(packet);
      default -> {
        // not ours
      }
    }
    endBody(length);
    return known && type != INTERFACE_DESCRIPTION;
  }

  private void readSection() throws CaptureException, CaptureInput.Truncated {
    input.order(ByteOrder.BIG_ENDIAN);
    int rawLength = input.int32();
    int magic = input.int32();
    if (magic == Integer.reverseBytes(BYTE_ORDER_MAGIC)) {
      input.order(ByteOrder.LITTLE_ENDIAN);
      rawLength = Integer.reverseBytes(rawLength);
    } else if (magic != BYTE_ORDER_MAGIC) {
      throw input.malformed("a section with byte-order magic 0x" + Integer.toHexString(magic));
    }
    long length = rawLength & 0xFFFF_FFFFL;
    checkBlockLength(length, MAX_BLOCK);
    body = length - FRAMING;
    take(4, "byte-order magic");
    take(12, "section header");
    int major = input.uint16();
    int minor = input.uint16();
    if (major != 1) {
      throw input.malformed("pcapng version " + major + "." + minor + "; version 1 can be read");
    }
    input.skip(8); // the section's length: blocks are followed one by one
    endBody(length);
    sectionStart = devices.size();
  }

  private long beginBody(long limit) throws CaptureException, CaptureInput.Truncated {
    long length = input.uint32();
    checkBlockLength(length, limit);
    body = length - FRAMING;
    return length;
  }

  private void checkBlockLength(long length, long limit) throws CaptureException {
    if (length < FRAMING || length % 4 != 0) {
      throw input.malformed("a block of length " + length + "; at least 12 and a multiple of 4 is possible");
    }
    if (length > limit) {
      throw input.malformed("a block of length " + length + "; at most " + limit + " can be read");
    }
  }

  private void endBody(long length) throws CaptureException, CaptureInput.Truncated {
    input.skip(body);
    long trailer = input.uint32();
    if (trailer != length) {
      throw input.malformed("a block that begins with length " + length + " and ends with " + trailer);
    }
  }

  private void take(long count, String what) throws CaptureException {
    if (count > body) {
      throw input.malformed("a block too short for its " + what + ": " + body + " bytes left of " + count);
    }
    body -= count;
  }

  private void readInterface() throws CaptureException, CaptureInput.Truncated {
    if (devices.size() == MAX_INTERFACES) {
      throw input.malformed("more than " + MAX_INTERFACES + " interfaces");
    }
    take(8, "interface description");
    int linkType = input.uint16();
    input.skip(2);
    long snapLength = input.uint32();
    InterfaceOptions options = new InterfaceOptions();
    while (body >= 4) {
      take(4, "option");
      int code = input.uint16();
      int length = input.uint16();
      if (code == 0) {
        break;
      }
      takeOption(code, length);
      long read = readInterfaceOption(options, code, length);
      input.skip(padded(length) - read);
    }
    devices.add(new Device(TimestampResolution.of(options.tsresol, options.tsoffset), options.fcsLength));
    interfaces.add(new CaptureInterface(interfaces.size(), options.name, linkType, snapLength));
  }

  private static final class InterfaceOptions {
    private String name = "";
    private int tsresol = 6;
    private long tsoffset;
    private int fcsLength;
  }

  /** Answers how many bytes were read of the option's value. */
  private int readInterfaceOption(InterfaceOptions options, int code, int length)
      throws CaptureException, CaptureInput.Truncated {
    if (code == IF_NAME) {
      options.name = text(Math.min(length, MAX_NAME));
      return Math.min(length, MAX_NAME);
    }
    if (code == IF_TSRESOL && length >= 1) {
      options.tsresol = input.uint8();
      return 1;
    }
    if (code == IF_FCSLEN && length >= 1) {
      options.fcsLength = fcsBytes(input.uint8());
      return 1;
    }
    if (code == IF_TSOFFSET && length >= 8) {
      options.tsoffset = input.int64();
      return 8;
    }
    return 0;
  }

  /**
   * The draft (if_fcslen) counts bits, and has 4 as its example: writers give Ethernet's as 32 and as 4. No check
   * sequence has less than 8 bits.
   */
  private static int fcsBytes(int length) {
    return length < 8 ? length : length / 8;
  }

  private void readPacket(CapturedPacket packet, boolean obsolete) throws CaptureException, CaptureInput.Truncated {
    take(20, "packet header");
    long id = obsolete ? input.uint16() : input.uint32();
    if (obsolete) {
      input.skip(2); // drops
    }
    Device device = beginPacket(packet, id);
    long ticks = input.uint32() << 32 | input.uint32();
    long captured = input.uint32();
    long wire = input.uint32();
    packet.timestampNs = device.resolution.toNs(ticks);
    readData(packet, captured);
    packet.end(wire, readPacketOptions(packet, device.fcsLength));
  }

  private void readSimplePacket(CapturedPacket packet) throws CaptureException, CaptureInput.Truncated {
    take(4, "packet header");
    Device device = beginPacket(packet, 0);
    long wire = input.uint32();
    long snapLength = interfaces.get(sectionStart).snapLength();
    readData(packet, snapLength == 0 ? wire : Math.min(wire, snapLength));
    packet.end(wire, device.fcsLength);
  }

  private Device beginPacket(CapturedPacket packet, long id) throws CaptureException {
    int described = devices.size() - sectionStart;
    if (id >= described) {
      throw input.malformed("a packet of interface " + id + "; the section has described " + described);
    }
    int index = sectionStart + (int) id;
    int linkType = interfaces.get(index).linkType();
    if (linkType != ETHERNET) {
      throw input.malformed("a packet of link type " + linkType + "; only Ethernet (1) can be read");
    }
    packet.begin(index);
    return devices.get(index);
  }

  private void readData(CapturedPacket packet, long captured) throws CaptureException, CaptureInput.Truncated {
    if (captured > CapturedPacket.MAX_LENGTH) {
      throw input.malformed(CapturedPacket.tooLong(captured));
    }
    take(padded((int) captured), "packet data");
    input.read(packet.data, (int) captured);
    input.skip(padded((int) captured) - captured);
  }

  /** Keeps the first comment; answers the bytes of the check sequence, for which a packet's flags go first. */
  private int readPacketOptions(CapturedPacket packet, int fcsLength) throws CaptureException, CaptureInput.Truncated {
    int fcs = fcsLength;
    while (body >= 4) {
      take(4, "option");
      int code = input.uint16();
      int length = input.uint16();
      if (code == 0) {
        break;
      }
      takeOption(code, length);
      int read = 0;
      if (code == COMMENT && packet.comment == null) {
        read = Math.min(length, MAX_COMMENT);
        packet.comment = text(read);
      } else if (code == PACKET_FLAGS && length >= 4) {
        read = 4;
        int own = input.int32() >>> 5 & 0xF;
        fcs = own == 0 ? fcs : own;
      }
      input.skip(padded(length) - read);
    }
    return fcs;
  }

  private void takeOption(int code, int length) throws CaptureException {
    take(padded(length), "option " + code);
  }

  private String text(int length) throws CaptureException, CaptureInput.Truncated {
    return new String(input.bytes(length), StandardCharsets.UTF_8);
  }

  private static long padded(int length) {
    return (length + 3L) & ~3L;
  }

  @Override
  public CaptureFormat format() {
    return CaptureFormat.PCAPNG;
  }

  @Override
  public List<CaptureInterface> interfaces() {
    return Collections.unmodifiableList(interfaces);
  }
}

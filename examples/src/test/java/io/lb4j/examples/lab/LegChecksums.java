package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.lb4j.pcap.CaptureException;
import io.lb4j.pcap.CaptureReader;
import io.netty.buffer.ByteBuf;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The checksums of TCP and UDP in a capture where senders leave them to their devices: the field holds either the sum
 * over all, or exactly the sum of the pseudo-header, which is what a device goes on from. By arithmetic of its own.
 * Owned by one thread.
 */
final class LegChecksums {
  private static final int NETWORK = 14;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86DD;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int NO_FRAGMENT = 0;
  private static final int ALL_ONES = 0xFFFF;

  private final List<String> wrong = new ArrayList<>();
  private int finished;
  private int unfinished;

  private LegChecksums() {}

  /** Judges every frame of a file. */
  static LegChecksums of(Path file) {
    LegChecksums seen = new LegChecksums();
    try (CaptureReader capture = CaptureReader.open(file)) {
      for (int number = 1; capture.next(); number++) {
        assertEquals(capture.wireLength(), capture.capturedLength(), "a frame is cut, in " + file);
        seen.judge(number, capture.buffer());
      }
    } catch (CaptureException e) {
      throw new UncheckedIOException(e);
    }
    return seen;
  }

  List<String> wrong() {
    return wrong;
  }

  int finished() {
    return finished;
  }

  int unfinished() {
    return unfinished;
  }

  private void judge(int number, ByteBuf frame) {
    int type = frame.getUnsignedShort(12);
    if (type == IPV4 && (frame.getUnsignedShort(NETWORK + 6) & 0x3FFF) == NO_FRAGMENT) {
      int transport = NETWORK + (frame.getByte(NETWORK) & 0xF) * 4;
      int end = NETWORK + frame.getUnsignedShort(NETWORK + 2);
      judge(number, frame, frame.getUnsignedByte(NETWORK + 9), NETWORK + 12, 8, transport, end);
    } else if (type == IPV6) {
      int transport = NETWORK + 40;
      int end = transport + frame.getUnsignedShort(NETWORK + 4);
      judge(number, frame, frame.getUnsignedByte(NETWORK + 6), NETWORK + 8, 32, transport, end);
    }
  }

  private void judge(
      int number, ByteBuf frame, int protocol, int addresses, int addressBytes, int transport, int end) {
    if (protocol != TCP && protocol != UDP) {
      return; // others are never left to a device, and fragments of datagrams neither
    }
    int length = end - transport;
    long pseudoHeader = words(frame, addresses, addressBytes) + protocol + length;
    int field = frame.getUnsignedShort(transport + (protocol == TCP ? 16 : 6));
    if (field % ALL_ONES == pseudoHeader % ALL_ONES) {
      unfinished++;
    } else if ((pseudoHeader + words(frame, transport, length)) % ALL_ONES == 0) {
      finished++;
    } else {
      wrong.add("frame " + number + ", protocol " + protocol + ", " + length + " bytes, checksum 0x"
          + Integer.toHexString(field) + ", unfinished 0x" + Long.toHexString(pseudoHeader % ALL_ONES));
    }
  }

  private static long words(ByteBuf frame, int from, int length) {
    long sum = 0;
    for (int i = 0; i < length; i++) {
      sum += (i & 1) == 0 ? frame.getUnsignedByte(from + i) << 8 : frame.getUnsignedByte(from + i);
    }
    return sum;
  }
}

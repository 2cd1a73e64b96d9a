package io.lb4j.examples.replay;

import io.lb4j.pcap.CaptureException;
import io.lb4j.pcap.CaptureFormat;
import io.lb4j.pcap.CaptureWriter;
import io.netty.buffer.ByteBuf;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The frames that leave, per interface: counted, and written where a file was named. Owned by one thread. */
final class OutputFiles implements AutoCloseable {
  private final CaptureWriter[] writers;
  private final int[] ids;
  private final long[] written;
  private final Map<Path, CaptureWriter> byFile = new LinkedHashMap<>();
  private final long[] frames;
  private final long[] bytes;

  OutputFiles(int interfaces) {
    writers = new CaptureWriter[interfaces];
    ids = new int[interfaces];
    written = new long[interfaces];
    frames = new long[interfaces];
    bytes = new long[interfaces];
  }

  /** Names the file of an interface; pcapng files may be named for several. */
  void add(int interfaceIndex, InterfaceFile output) throws CaptureException {
    Path file = ReplayFiles.real(output.file());
    CaptureWriter writer = byFile.get(file);
    if (writer == null) {
      writer = CaptureWriter.create(output.file(), formatOf(output.file()));
      byFile.put(file, writer);
    }
    writers[interfaceIndex] = writer;
    ids[interfaceIndex] = writer.addInterface(output.name());
  }

  static CaptureFormat formatOf(Path file) {
    boolean blocks = file.toString().endsWith(".pcapng") || file.toString().endsWith(".ntar");
    return blocks ? CaptureFormat.PCAPNG : CaptureFormat.PCAP_NANOSECONDS;
  }

  /** Sends a frame, which stays the caller's; answers its number in the output file, 0 without a file. */
  long write(int interfaceIndex, long timestampNs, ByteBuf frame) {
    frames[interfaceIndex]++;
    bytes[interfaceIndex] += frame.readableBytes();
    if (writers[interfaceIndex] == null) {
      return 0;
    }
    try {
      writers[interfaceIndex].write(
          ids[interfaceIndex], timestampNs, frame, frame.readerIndex(), frame.readableBytes());
    } catch (CaptureException e) {
      throw new UncheckedIOException(e);
    }
    return ++written[interfaceIndex];
  }

  /** Frames sent so far, per interface. */
  List<Long> frames() {
    return Arrays.stream(frames).boxed().toList();
  }

  /** Their bytes. */
  List<Long> bytes() {
    return Arrays.stream(bytes).boxed().toList();
  }

  @Override
  public void close() throws CaptureException {
    for (CaptureWriter writer : byFile.values()) {
      writer.close();
    }
  }
}

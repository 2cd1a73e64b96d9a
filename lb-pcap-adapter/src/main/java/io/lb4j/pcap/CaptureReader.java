package io.lb4j.pcap;

import io.lb4j.frame.FrameMarks;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Reads the Ethernet packets of a capture file from front to back: pcap with micro- or nanoseconds and pcapng, of
 * either byte order, told apart by their magic number. Needs no native code. Owned by one thread.
 *
 * <p>Memory stays below 1 MiB for packets, plus 4 KiB for each interface a file describes (at most 4,096), whatever its
 * fields claim: a packet has at most 262,144 bytes, and blocks of other kinds are stepped over. The same bytes give the
 * same answers.
 *
 * <p>A file that ends inside a packet, as one does that is still being written, is not an error: all complete packets
 * are delivered, then {@link #next()} answers false and {@link #damage()} says where the file was cut. A file that
 * contradicts itself ends with a {@link CaptureException}, after the packets before; {@code next()} answers false from
 * then on.
 *
 * <pre>{@code
 * try (CaptureReader capture = CaptureReader.open(Path.of("clients.pcapng"))) {
 *   while (capture.next()) {
 *     System.out.println(capture.timestampNs() + " ns, " + capture.wireLength() + " bytes");
 *   }
 *   capture.damage().ifPresent(System.err::println);
 * }
 * }</pre>
 */
public final class CaptureReader implements AutoCloseable {
  private final String file;
  private final CaptureInput input;
  private final CapturedPacket packet = new CapturedPacket();
  private CaptureParser parser;
  private boolean ended;
  private String damage;

  private CaptureReader(ReadableByteChannel channel, String file) {
    this.file = file;
    this.input = new CaptureInput(channel, file);
  }

  /**
   * Opens a file and reads its header.
   *
   * @param file a capture file
   * @return a reader before the first packet; the caller closes it
   * @throws CaptureException when there is no such file, it may not be read, is of another kind, or its header is cut,
   *     and for pcap when its link type is not Ethernet
   */
  public static CaptureReader open(Path file) throws CaptureException {
    try {
      return open(FileChannel.open(file), file.toString());
    } catch (CaptureException e) {
      throw e;
    } catch (NoSuchFileException e) {
      throw new CaptureException(file.toString(), 0, "no such file", e);
    } catch (AccessDeniedException e) {
      throw new CaptureException(file.toString(), 0, "permission denied", e);
    } catch (IOException e) {
      throw new CaptureException(file.toString(), 0, "cannot be opened: " + CaptureException.said(e), e);
    }
  }

  /**
   * Reads a capture from a channel, for example standard input.
   *
   * @param channel blocking; closed with the reader, and when opening fails
   * @param name what messages call it
   * @return a reader before the first packet; the caller closes it
   * @throws CaptureException as {@link #open(Path)}
   */
  public static CaptureReader open(ReadableByteChannel channel, String name) throws CaptureException {
    CaptureReader reader = new CaptureReader(channel, name);
    try {
      reader.readHeader();
      return reader;
    } catch (CaptureException e) {
      reader.close();
      throw e;
    }
  }

  private void readHeader() throws CaptureException {
    if (input.atEnd()) {
      throw input.malformed("the file is empty");
    }
    try {
      parser = parserFor(input.int32());
    } catch (CaptureInput.Truncated e) {
      throw new CaptureException(file, 0, "not a capture file, or its header is cut: " + e.getMessage());
    }
  }

  /** Chooses by the magic number, read as big-endian. */
  private CaptureParser parserFor(int magic) throws CaptureException, CaptureInput.Truncated {
    ByteOrder big = ByteOrder.BIG_ENDIAN;
    ByteOrder little = ByteOrder.LITTLE_ENDIAN;
    return switch (magic) {
      case PcapngParser.SECTION_HEADER -> new PcapngParser(input);
      case PcapParser.MICROSECONDS_MAGIC -> new PcapParser(input, big, CaptureFormat.PCAP_MICROSECONDS);
      case PcapParser.NANOSECONDS_MAGIC -> new PcapParser(input, big, CaptureFormat.PCAP_NANOSECONDS);
      case 0xD4C3B2A1 -> new PcapParser(input, little, CaptureFormat.PCAP_MICROSECONDS);
      case 0x4D3CB2A1 -> new PcapParser(input, little, CaptureFormat.PCAP_NANOSECONDS);
      default -> throw input.malformed(unknownMagic(magic));
    };
  }

  private static String unknownMagic(int magic) {
    if (magic >>> 16 == 0x1F8B) {
      return "compressed with gzip; decompress it first";
    }
    return "neither pcap nor pcapng: it begins with 0x" + String.format("%08x", magic);
  }

  /**
   * Goes to the next packet.
   *
   * @return false at the end, be it the file's or {@linkplain #damage() where it was cut}
   * @throws CaptureException when the file contradicts itself, holds a packet of another link layer, or cannot be read
   */
  public boolean next() throws CaptureException {
    if (ended) {
      return false;
    }
    ended = true; // unless a packet follows, also after an exception
    try {
      ended = !parser.next(packet);
    } catch (CaptureInput.Truncated e) {
      damage = file + ": " + e.getMessage();
    }
    return !ended;
  }

  /**
   * Where the file was cut.
   *
   * @return "FILE: truncated at offset N: ...", N being where the incomplete record begins; empty for a whole file, and
   *     until {@link #next()} answered false
   */
  public Optional<String> damage() {
    return Optional.ofNullable(damage);
  }

  /**
   * The file's kind.
   *
   * @return one of three
   */
  public CaptureFormat format() {
    return parser.format();
  }

  /**
   * The interfaces described so far; in pcapng more may follow. Sections are counted on: an interface of a second
   * section is not one of the first.
   *
   * @return a read-only view, indexed by {@link #interfaceId()}
   */
  public List<CaptureInterface> interfaces() {
    return parser.interfaces();
  }

  /**
   * When the packet was captured.
   *
   * @return nanoseconds since 1970, 0..2^63-1, saturating; for a simple packet block, which has no time, that of the
   *     packet before
   */
  public long timestampNs() {
    return packet.timestampNs;
  }

  /**
   * The interface that captured the packet.
   *
   * @return index into {@link #interfaces()}
   */
  public int interfaceId() {
    return packet.interfaceId;
  }

  /**
   * The packet's length on the wire, without a frame check sequence.
   *
   * @return bytes, never less than {@link #capturedLength()}
   */
  public int wireLength() {
    return packet.wireLength;
  }

  /**
   * How many of the packet's bytes the file holds, without a frame check sequence.
   *
   * @return 0..262,144
   */
  public int capturedLength() {
    return packet.data.writerIndex();
  }

  /**
   * What the data path is told beside the bytes.
   *
   * @return {@link FrameMarks#TRUNCATED} when the packet's end was not captured, else {@link FrameMarks#NONE}
   */
  public long marks() {
    return capturedLength() < wireLength() ? FrameMarks.TRUNCATED : FrameMarks.NONE;
  }

  /**
   * The packet's comment.
   *
   * @return the first, at most 4,096 bytes of it; empty when it has none
   */
  public Optional<String> comment() {
    return Optional.ofNullable(packet.comment);
  }

  /**
   * The packet's bytes, from index 0 to {@link #capturedLength()}.
   *
   * @return the reader's own buffer, valid until the next {@link #next()} or {@link #close()}; not to be released; may
   *     be changed in place
   */
  public ByteBuf buffer() {
    return packet.data;
  }

  /**
   * Appends the packet's bytes to a buffer, which stays the caller's.
   *
   * @param target has room for {@link #capturedLength()} bytes, or can grow
   */
  public void copyTo(ByteBuf target) {
    target.writeBytes(packet.data, 0, capturedLength());
  }

  /**
   * Closes the file.
   *
   * @throws CaptureException when the system refuses
   */
  @Override
  public void close() throws CaptureException {
    ended = true;
    input.close();
  }
}

package io.lb4j.pcap;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;

/**
 * The bytes of a capture file, read forward through one buffer of 64 KiB whatever the file claims. Owned by one thread.
 */
final class CaptureInput implements AutoCloseable {
  private static final int BUFFER_SIZE = 64 * 1024;

  private final String file;
  private final ReadableByteChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_SIZE).flip();
  private long bufferOffset; // where in the file the buffer begins
  private long recordOffset;

  /** The file ends inside a record. */
  static final class Truncated extends Exception {
    private static final long serialVersionUID = 1L;

    Truncated(String message) {
      super(message, null, false, false);
    }
  }

  CaptureInput(ReadableByteChannel channel, String file) {
    this.channel = channel;
    this.file = file;
  }

  void order(ByteOrder order) {
    buffer.order(order);
  }

  /** Marks where a record begins: the offset that messages name. */
  void beginRecord() {
    recordOffset = offset();
  }

  private long offset() {
    return bufferOffset + buffer.position();
  }

  boolean atEnd() throws CaptureException {
    return !buffer.hasRemaining() && !fill(1);
  }

  int uint8() throws CaptureException, Truncated {
    need(1);
    return buffer.get() & 0xFF;
  }

  int uint16() throws CaptureException, Truncated {
    need(2);
    return buffer.getShort() & 0xFFFF;
  }

  int int32() throws CaptureException, Truncated {
    need(4);
    return buffer.getInt();
  }

  long uint32() throws CaptureException, Truncated {
    return int32() & 0xFFFF_FFFFL;
  }

  long int64() throws CaptureException, Truncated {
    need(8);
    return buffer.getLong();
  }

  byte[] bytes(int length) throws CaptureException, Truncated {
    need(length);
    byte[] bytes = new byte[length];
    buffer.get(bytes);
    return bytes;
  }

  /** Appends bytes to a buffer, which grows no faster than the file delivers. */
  void read(ByteBuf target, int length) throws CaptureException, Truncated {
    int left = length;
    while (left > 0) {
      need(1);
      int part = Math.min(left, buffer.remaining());
      int limit = buffer.limit();
      buffer.limit(buffer.position() + part);
      target.writeBytes(buffer);
      buffer.limit(limit);
      left -= part;
    }
  }

  void skip(long count) throws CaptureException, Truncated {
    long left = count;
    while (left > 0) {
      need(1);
      int part = (int) Math.min(left, buffer.remaining());
      buffer.position(buffer.position() + part);
      left -= part;
    }
  }

  private void need(int count) throws CaptureException, Truncated {
    if (buffer.remaining() < count && !fill(count)) {
      long end = bufferOffset + buffer.limit();
      throw new Truncated(
          "truncated at offset " + recordOffset + ": the file ends " + (end - recordOffset) + " bytes into a record");
    }
  }

  /** Reads until {@code count} bytes wait; false when the file ends before. */
  private boolean fill(int count) throws CaptureException {
    bufferOffset += buffer.position();
    buffer.compact();
    try {
      while (buffer.position() < count) {
        if (channel.read(buffer) < 0) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new CaptureException(file, bufferOffset, "cannot be read: " + CaptureException.said(e), e);
    } finally {
      buffer.flip();
    }
  }

  CaptureException malformed(String problem) {
    return new CaptureException(file, recordOffset, problem);
  }

  @Override
  public void close() throws CaptureException {
    try {
      channel.close();
    } catch (IOException e) {
      throw new CaptureException(file, bufferOffset, "cannot be closed: " + CaptureException.said(e), e);
    }
  }
}

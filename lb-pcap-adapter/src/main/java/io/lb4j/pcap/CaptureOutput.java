package io.lb4j.pcap;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

/** The bytes of a capture file, gathered in one buffer of 64 KiB. Owned by one thread. */
final class CaptureOutput implements AutoCloseable {
  private static final int BUFFER_SIZE = 64 * 1024;

  private final String file;
  private final WritableByteChannel channel;
  private final ByteBuffer buffer;
  private long written;
  private boolean torn; // a record is not in the file whole: what came behind it could not be read

  CaptureOutput(WritableByteChannel channel, String file, ByteOrder order) {
    this.channel = channel;
    this.file = file;
    this.buffer = ByteBuffer.allocate(BUFFER_SIZE).order(order);
  }

  /** Refuses a record behind one that failed, and after closing. */
  CaptureOutput beginRecord() throws CaptureException {
    if (!channel.isOpen()) {
      throw new CaptureException(file, written, "cannot be written: the file was closed");
    }
    if (torn) {
      throw new CaptureException(file, written, "cannot be written: the record before failed, the file ends inside it");
    }
    torn = true;
    return this;
  }

  void endRecord() {
    torn = false;
  }

  CaptureOutput int8(int value) throws CaptureException {
    room(1).put((byte) value);
    return this;
  }

  CaptureOutput int16(int value) throws CaptureException {
    room(2).putShort((short) value);
    return this;
  }

  CaptureOutput int32(long value) throws CaptureException {
    room(4).putInt((int) value);
    return this;
  }

  CaptureOutput int64(long value) throws CaptureException {
    room(8).putLong(value);
    return this;
  }

  CaptureOutput bytes(byte[] bytes, int length) throws CaptureException {
    for (int from = 0; from < length; ) {
      int part = Math.min(length - from, room(1).remaining());
      buffer.put(bytes, from, part);
      from += part;
    }
    return this;
  }

  CaptureOutput bytes(ByteBuf source, int start, int length) throws CaptureException {
    for (int done = 0; done < length; ) {
      int part = Math.min(length - done, room(1).remaining());
      int limit = buffer.limit();
      buffer.limit(buffer.position() + part);
      source.getBytes(start + done, buffer);
      buffer.limit(limit);
      done += part;
    }
    return this;
  }

  /** Zeros up to a multiple of 4. */
  CaptureOutput pad(int length) throws CaptureException {
    for (int i = length; (i & 3) != 0; i++) {
      int8(0);
    }
    return this;
  }

  private ByteBuffer room(int count) throws CaptureException {
    if (buffer.remaining() < count) {
      flush();
    }
    return buffer;
  }

  void flush() throws CaptureException {
    buffer.flip();
    try {
      while (buffer.hasRemaining()) {
        written += channel.write(buffer);
      }
    } catch (IOException e) {
      torn = true;
      throw new CaptureException(file, written, "cannot be written: " + CaptureException.said(e), e);
    } finally {
      buffer.clear();
    }
  }

  @Override
  public void close() throws CaptureException {
    try (channel) {
      if (channel.isOpen()) {
        flush();
      }
    } catch (CaptureException e) {
      throw e;
    } catch (IOException e) {
      throw new CaptureException(file, written, "cannot be closed: " + CaptureException.said(e), e);
    }
  }
}

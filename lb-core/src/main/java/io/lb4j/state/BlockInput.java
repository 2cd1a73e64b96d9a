package io.lb4j.state;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Reads blocks and checks each before anybody sees its content; reads nothing beyond the block at hand. Owned by the
 * thread that restores. What a stream says about its own size takes no memory: one block is held, of a fixed size.
 */
final class BlockInput {
  private static final int HEADER_BYTES = 6;

  private final InputStream in;
  private final byte[] block = new byte[HEADER_BYTES + StateFormat.BLOCK_BYTES + 4];
  private final CRC32C checksum = new CRC32C();
  private ByteBuffer content = ByteBuffer.allocate(0);
  private int blocks;

  BlockInput(InputStream in) {
    this.in = in;
  }

  /** Reads the beginning. */
  void begin() throws IOException {
    int length = StateFormat.MAGIC.length;
    if (in.readNBytes(block, 0, length + 4) < length + 4
        || !Arrays.equals(block, 0, length, StateFormat.MAGIC, 0, length)) {
      throw new IOException("this is no saved state of a balancer");
    }
    ByteBuffer head = ByteBuffer.wrap(block, length, 4);
    int version = StateFormat.number16(head);
    int flags = StateFormat.number16(head);
    if (version != StateFormat.VERSION || flags != 0) {
      throw new IOException(
          "state of version " + version + " with flags " + flags + "; version " + StateFormat.VERSION + " is known here");
    }
  }

  /** Reads a block whole; answers its type. */
  int next() throws IOException {
    blocks++;
    read(0, HEADER_BYTES);
    ByteBuffer header = ByteBuffer.wrap(block);
    int type = StateFormat.number16(header);
    int length = header.getInt();
    if (length < 0 || length > StateFormat.BLOCK_BYTES) {
      throw new IOException("block " + blocks + " is damaged: it cannot have " + length + " bytes");
    }
    int end = HEADER_BYTES + length;
    read(HEADER_BYTES, length + 4);
    checksum.reset();
    checksum.update(block, 0, end);
    if ((int) checksum.getValue() != ByteBuffer.wrap(block, end, 4).getInt()) {
      throw new IOException("block " + blocks + " is damaged: its checksum is wrong");
    }
    content = ByteBuffer.wrap(block, HEADER_BYTES, length).slice();
    return type;
  }

  private void read(int at, int length) throws IOException {
    if (in.readNBytes(block, at, length) < length) {
      throw new EOFException("it ends in the middle of block " + blocks + ": it was cut off");
    }
  }

  /** The content of the last block. */
  ByteBuffer content() {
    return content;
  }

  int blocks() {
    return blocks;
  }
}

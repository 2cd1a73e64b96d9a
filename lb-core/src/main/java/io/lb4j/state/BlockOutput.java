package io.lb4j.state;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Collects records into blocks, and writes each with its checksum. Owned by the thread that saves. */
final class BlockOutput {
  private static final int HEADER_BYTES = 6;
  private static final int NONE = 0;

  private final OutputStream out;
  private final ByteBuffer block = ByteBuffer.allocate(HEADER_BYTES + StateFormat.BLOCK_BYTES + 4);
  private final CRC32C checksum = new CRC32C();
  private int type = NONE;

  /** Begins a stream. */
  BlockOutput(OutputStream out) throws IOException {
    this.out = out;
    ByteBuffer head = ByteBuffer.allocate(StateFormat.MAGIC.length + 4);
    head.put(StateFormat.MAGIC).putShort((short) StateFormat.VERSION).putShort((short) 0);
    out.write(head.array());
  }

  /** Where to put a record of so many bytes at most; the block goes on if it is of this type and has the room. */
  ByteBuffer room(int recordType, int bytes) throws IOException {
    boolean fits = block.position() + bytes <= HEADER_BYTES + StateFormat.BLOCK_BYTES;
    if (type != recordType || !fits) {
      endBlock();
      type = recordType;
      block.position(HEADER_BYTES);
    }
    return block;
  }

  /** Ends the stream. */
  void end() throws IOException {
    endBlock();
    out.flush();
  }

  /** Writes what was collected. */
  private void endBlock() throws IOException {
    if (type == NONE) {
      return;
    }
    int end = block.position();
    block.putShort(0, (short) type).putInt(2, end - HEADER_BYTES);
    checksum.reset();
    checksum.update(block.array(), 0, end);
    block.putInt((int) checksum.getValue());
    out.write(block.array(), 0, end + 4);
    block.clear();
    type = NONE;
  }
}

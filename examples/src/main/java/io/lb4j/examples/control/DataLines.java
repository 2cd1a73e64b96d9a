package io.lb4j.examples.control;

import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/** Bytes as lines: JSON objects with {@code data} in Base64 (RFC 4648, section 4). Both ways of either side. */
final class DataLines {
  private static final int CHUNK = 48 * 1024;

  private DataLines() {}

  /** Takes lines. */
  @FunctionalInterface
  interface Lines {
    void take(String line) throws IOException;
  }

  /** Brings lines. */
  @FunctionalInterface
  interface Source {
    String bring() throws IOException;
  }

  /** A stream whose bytes become lines; the rest goes out with {@code flush}. */
  static OutputStream to(Lines lines) {
    return new Sender(lines);
  }

  /** A stream of the bytes of lines, up to one with {@code end}. */
  static Receiver from(Source source) {
    return new Receiver(source);
  }

  /** The bytes of a line, or null when it has none. */
  static byte[] bytes(Map<String, Object> line) throws IOException {
    if (!(line.get("data") instanceof String data)) {
      return null;
    }
    try {
      return Base64.getDecoder().decode(data);
    } catch (IllegalArgumentException e) {
      throw new IOException("'data' is not Base64", e);
    }
  }

  private static final class Sender extends OutputStream {
    private final Lines lines;
    private final byte[] chunk = new byte[CHUNK];
    private int length;

    Sender(Lines lines) {
      this.lines = lines;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
      for (int done = 0; done < count; ) {
        int part = Math.min(count - done, CHUNK - length);
        System.arraycopy(bytes, from + done, chunk, length, part);
        length += part;
        done += part;
        if (length == CHUNK) {
          flush();
        }
      }
    }

    @Override
    public void flush() throws IOException {
      if (length > 0) {
        byte[] part = Arrays.copyOf(chunk, length);
        length = 0;
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("ok", true);
        line.put("data", Base64.getEncoder().encodeToString(part));
        lines.take(Json.line(line));
      }
    }
  }

  /** Bytes that come as lines. Owned by one thread. */
  static final class Receiver extends InputStream {
    private final Source source;
    private byte[] chunk = new byte[0];
    private int position;
    private boolean ended;

    private Receiver(Source source) {
      this.source = source;
    }

    /** Whether the line with {@code end} has come. */
    boolean isEnded() {
      return ended;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
      while (position == chunk.length && !ended) {
        next();
      }
      if (position == chunk.length) {
        return count == 0 ? 0 : -1;
      }
      int part = Math.min(count, chunk.length - position);
      System.arraycopy(chunk, position, bytes, from, part);
      position += part;
      return part;
    }

    private void next() throws IOException {
      Map<String, Object> line = Json.object(source.bring());
      byte[] bytes = bytes(line);
      ended = bytes == null;
      if (ended && !Boolean.TRUE.equals(line.get("end"))) {
        throw new IOException("a line with 'data' or 'end' is expected");
      }
      chunk = ended ? new byte[0] : bytes;
      position = 0;
    }
  }
}

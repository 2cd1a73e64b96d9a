package io.lb4j.pcap;

import java.io.IOException;

/**
 * A capture file that cannot be read or written: missing, of another kind, or malformed. The message names the file,
 * the offset and what is wrong. The only exception that reading and writing throws for what a file holds.
 */
public final class CaptureException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String file;
  private final long offset;

  CaptureException(String file, long offset, String problem) {
    this(file, offset, problem, null);
  }

  CaptureException(String file, long offset, String problem, IOException cause) {
    super(file + ": offset " + offset + ": " + problem, cause);
    this.file = file;
    this.offset = offset;
  }

  /** What the system said; its exceptions for a closed channel have no words, only a name. */
  static String said(IOException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  /**
   * The file.
   *
   * @return its path, or the name given at opening
   */
  public String file() {
    return file;
  }

  /**
   * Where the record or block begins that cannot be read.
   *
   * @return bytes from the file's beginning
   */
  public long offset() {
    return offset;
  }
}

package io.lb4j.examples.replay;

import io.lb4j.pcap.CaptureException;
import io.lb4j.pcap.CaptureReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Several capture files as one stream: always the earliest of the files' next packets, of equal times the one whose
 * file was named first. Inside a file the order of the file holds. Owned by one thread.
 *
 * <p>A damaged file gives its complete packets and one warning.
 */
final class CaptureMerge implements AutoCloseable {
  /** One file and its next packet. */
  static final class Input {
    private final int interfaceIndex;
    private final CaptureReader reader;
    private long number;

    private Input(int interfaceIndex, CaptureReader reader) {
      this.interfaceIndex = interfaceIndex;
      this.reader = reader;
    }

    int interfaceIndex() {
      return interfaceIndex;
    }

    CaptureReader packet() {
      return reader;
    }

    /** The packet's number in its file, from 1. */
    long number() {
      return number;
    }
  }

  private final List<Input> open = new ArrayList<>();
  private final List<Input> waiting = new ArrayList<>();
  private final Consumer<String> warnings;
  private Input current;

  CaptureMerge(Consumer<String> warnings) {
    this.warnings = warnings;
  }

  void add(int interfaceIndex, Path file) throws CaptureException {
    Input input = new Input(interfaceIndex, CaptureReader.open(file));
    open.add(input);
    if (advance(input)) {
      waiting.add(input);
    }
  }

  /** Goes to the next packet; null at the end. The packet stays valid until the next call. */
  Input next() {
    if (current != null && !advance(current)) {
      waiting.remove(current);
    }
    current = null;
    for (Input input : waiting) {
      if (current == null || input.reader.timestampNs() < current.reader.timestampNs()) {
        current = input;
      }
    }
    return current;
  }

  private boolean advance(Input input) {
    try {
      if (input.reader.next()) {
        input.number++;
        return true;
      }
      input.reader.damage().ifPresent(warnings);
    } catch (CaptureException e) {
      warnings.accept(e.getMessage());
    }
    return false;
  }

  @Override
  public void close() throws CaptureException {
    for (Input input : open) {
      input.reader.close();
    }
  }
}

package io.lb4j.examples.replay;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * One tab-separated line per input frame, in input order; the line of a held frame, and those after it, wait for its
 * verdict. Owned by one thread.
 */
final class TraceFile implements AutoCloseable {
  private static final class Line {
    private final String head;
    private String end;

    Line(String head) {
      this.head = head;
    }
  }

  private final BufferedWriter writer;
  private final Deque<Line> waiting = new ArrayDeque<>();
  private final Map<Long, Line> open = new HashMap<>();

  /** A trace to a file, or to nowhere when there is none. */
  TraceFile(Path file) throws IOException {
    this.writer = file == null ? null : Files.newBufferedWriter(file);
  }

  void begin(long number, String interfaceName, long numberInFile) {
    if (writer != null) {
      Line line = new Line(number + "\t" + interfaceName + "\t" + numberInFile);
      open.put(number, line);
      waiting.add(line);
    }
  }

  /** Ends a frame's line; '-' stands for null texts and for number 0. */
  void end(long number, String outcome, String detail, String output, long numberInOutput) {
    Line line = open.remove(number);
    if (line != null) {
      line.end =
          String.join("\t", outcome, dash(detail), dash(output), numberInOutput > 0 ? "" + numberInOutput : "-");
      flushEnded();
    }
  }

  private static String dash(String text) {
    return text == null ? "-" : text;
  }

  private void flushEnded() {
    try {
      while (!waiting.isEmpty() && waiting.peek().end != null) {
        Line line = waiting.poll();
        writer.write(line.head + "\t" + line.end + "\n");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    if (writer != null) {
      writer.close();
    }
  }
}

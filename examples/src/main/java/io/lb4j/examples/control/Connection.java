package io.lb4j.examples.control;

import io.lb4j.examples.Lb;
import io.lb4j.examples.report.Json;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One client of the control socket. A request is read only after the answer to the one before has been taken, so that
 * a client holds one request and one answer at most. Owned by the control thread.
 */
final class Connection implements Exchange {
  /** The longest request: a file of the largest size, and room for escapes. */
  static final int LONGEST_LINE = 8 << 20;

  private static final int EVENTS_AT_ONCE = 64;
  private static final int MOST_EVENTS = EventLog.CAPACITY;
  private static final int READS_AT_ONCE = 16;
  private static final int REQUESTS_AT_ONCE = 16;
  private static final long STALL_NS = 5_000_000_000L;

  private final SocketChannel channel;
  private final SelectionKey key;
  private final Commands commands;
  private final EventLog events;
  private final long patienceNs;
  private final LineBuffer in = new LineBuffer(LONGEST_LINE);
  private final Deque<ByteBuffer> out = new ArrayDeque<>();
  private long deadlineNs;
  private long nextEvent = -1;
  private boolean ending;
  private DataLines.Receiver upload;

  /**
   * A client that was admitted.
   *
   * @param channel non-blocking
   * @param key of the channel
   * @param commands that it may ask for
   * @param events that it may follow
   * @param patienceNs how long a request, or taking an answer, may last
   * @param nowNs the time
   */
  Connection(
      SocketChannel channel, SelectionKey key, Commands commands, EventLog events, long patienceNs, long nowNs) {
    this.channel = channel;
    this.key = key;
    this.commands = commands;
    this.events = events;
    this.patienceNs = patienceNs;
    this.deadlineNs = nowNs + patienceNs;
  }

  /** Reads what there is and answers it; false when the connection is over. */
  boolean onReady(long nowNs) throws IOException {
    if (out.isEmpty() && !isRequestWaiting()) {
      read();
    }
    return onWritable(nowNs);
  }

  private void read() throws IOException {
    for (int reads = 0; reads < READS_AT_ONCE && !ending && !in.isOverlong(); reads++) {
      int bytes = channel.read(in.space());
      if (bytes <= 0) {
        ending = bytes < 0;
        return;
      }
    }
  }

  /** Sends what waits, and answers requests that have come already: some of them, so that other clients have a turn. */
  private boolean onWritable(long nowNs) throws IOException {
    boolean moved = write();
    for (int i = 0; i < REQUESTS_AT_ONCE && out.isEmpty() && isRequestWaiting(); i++) {
      send(commands.answer(in.next(), this));
      if (upload != null && !upload.isEnded()) {
        in.clear(); // what still comes is no request
        ending = true;
      }
      upload = null;
      write();
      moved = true;
    }
    if (in.isOverlong() && !isRequestWaiting() && !ending && out.isEmpty()) {
      send(Reply.failure(Lb.USAGE, "the request is longer than " + LONGEST_LINE + " bytes", List.of()));
      ending = true;
      write();
    }
    if (moved) {
      deadlineNs = nowNs + patienceNs;
    }
    boolean idle = out.isEmpty() && !isRequestWaiting();
    key.interestOps(idle ? SelectionKey.OP_READ : SelectionKey.OP_WRITE);
    return !(ending && idle);
  }

  /** Whether there is a complete request; those of a follower are never answered. */
  private boolean isRequestWaiting() {
    return !isFollowing() && in.hasNext();
  }

  private void send(String line) {
    out.add(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
  }

  /** Whether anything went out. */
  private boolean write() throws IOException {
    boolean moved = false;
    while (!out.isEmpty()) {
      ByteBuffer first = out.peek();
      moved |= channel.write(first) > 0;
      if (first.hasRemaining()) {
        break;
      }
      out.remove();
    }
    return moved;
  }

  @Override
  public void followEvents() {
    nextEvent = events.next();
  }

  @Override
  public OutputStream download() {
    return DataLines.to(this::sendNow);
  }

  @Override
  public InputStream upload() throws IOException {
    sendNow("{\"ok\":true,\"upload\":true}");
    upload = DataLines.from(this::receiveNow);
    return upload;
  }

  /** Sends a line and waits until the client has taken it. */
  private void sendNow(String line) throws IOException {
    long byNs = System.nanoTime() + Math.min(STALL_NS, patienceNs);
    send(line);
    while (!out.isEmpty()) {
      if (!write()) {
        await(SelectionKey.OP_WRITE, byNs);
      }
    }
  }

  private String receiveNow() throws IOException {
    long byNs = System.nanoTime() + Math.min(STALL_NS, patienceNs);
    for (String line = in.next(); ; line = in.next()) {
      if (line != null) {
        return line;
      }
      int bytes = in.isOverlong() ? -1 : channel.read(in.space());
      if (bytes < 0) {
        ending = true;
        throw new EOFException("the client has stopped sending");
      }
      if (bytes == 0) {
        await(SelectionKey.OP_READ, byNs);
      }
    }
  }

  /** A line has one deadline, so that drops of a few bytes do not keep the others waiting. */
  private void await(int operation, long byNs) throws IOException {
    try (Selector selector = Selector.open()) {
      channel.register(selector, operation);
      long leftMs = (byNs - System.nanoTime()) / 1_000_000;
      if (leftMs <= 0 || selector.select(leftMs) == 0) {
        throw new IOException("the client is too slow");
      }
    }
  }

  private boolean isFollowing() {
    return nextEvent >= 0;
  }

  /** Sends events that a follower has not seen; those that were lost meanwhile are counted. */
  boolean onEvents(long nowNs) throws IOException {
    boolean goesOn = true;
    for (int sent = 0; goesOn && sent < MOST_EVENTS && areEventsWaiting(); sent += EVENTS_AT_ONCE) {
      events.since(nextEvent, EVENTS_AT_ONCE).forEach(this::send);
      goesOn = onWritable(nowNs);
    }
    return goesOn;
  }

  private boolean areEventsWaiting() {
    return isFollowing() && out.isEmpty() && !ending && nextEvent < events.next();
  }

  private void send(EventLog.Entry entry) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("ok", true);
    line.put("missed", entry.number() - nextEvent);
    line.put("result", entry.tree());
    line.put("text", entry.text() + "\n");
    send(Json.line(line));
    nextEvent = entry.number() + 1;
  }

  /** Whether the client has kept us waiting for too long. Silence of a follower is no fault. */
  boolean isLate(long nowNs) {
    boolean waits = !isFollowing() || !out.isEmpty();
    return waits && deadlineNs - nowNs < 0;
  }

  /** Bytes of a request that is not complete. */
  int waiting() {
    return in.waiting();
  }

  void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // it is gone all the same
    }
  }
}

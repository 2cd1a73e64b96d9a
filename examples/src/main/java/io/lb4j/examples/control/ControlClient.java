package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The other end of a {@link ControlServer}. Owned by one thread. */
public final class ControlClient implements AutoCloseable {
  private static final int LONGEST_LINE = 64 << 20;

  private final SocketChannel channel;
  private final LineBuffer in = new LineBuffer(LONGEST_LINE);

  private ControlClient(SocketChannel channel) {
    this.channel = channel;
  }

  /**
   * Connects. Root asks whom the path names; everybody else only root and themselves, so that nobody is deceived by a
   * socket in a directory of others.
   *
   * @param socket of a running balancer
   * @return to be closed
   * @throws IOException when there is no balancer, or it may not be asked
   * @throws CommandException when the process at the other end is neither root's nor this user's
   */
  public static ControlClient connect(Path socket) throws IOException, CommandException {
    if (Files.notExists(socket)) { // not where that cannot be found out: connecting tells why
      throw new IOException(socket + ": there is no such socket; does lb run, with this --control?");
    }
    SocketChannel channel;
    try {
      channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    } catch (SocketException e) {
      throw new IOException(socket + ": " + e.getMessage() + "; does lb run, and as this user?", e);
    }
    Peers peers = Peers.ofThisProcess();
    if (!peers.areRoot() && !peers.admit(channel)) {
      channel.close();
      throw new CommandException(socket + ": the process that listens is neither root's nor this user's");
    }
    return new ControlClient(channel);
  }

  /**
   * Sends a request.
   *
   * @param request members of a JSON object
   * @throws IOException when the balancer is gone
   */
  public void send(Map<String, Object> request) throws IOException {
    sendLine(Json.line(request));
  }

  /**
   * Waits for a line.
   *
   * @return a JSON object
   * @throws IOException when the connection ends instead
   */
  public Map<String, Object> receive() throws IOException {
    String line = in.next();
    while (line == null) {
      if (in.isOverlong() || channel.read(in.space()) < 0) {
        throw new IOException("the balancer ended the connection");
      }
      line = in.next();
    }
    return Json.object(line);
  }

  /**
   * Takes bytes until the answer.
   *
   * @param bytes that were sent before it
   * @return the answer
   * @throws IOException when the connection ends instead, or the bytes cannot be written
   */
  public Map<String, Object> receive(OutputStream bytes) throws IOException {
    Map<String, Object> line = receive();
    for (byte[] part = DataLines.bytes(line); part != null; part = DataLines.bytes(line)) {
      bytes.write(part);
      line = receive();
    }
    return line;
  }

  /**
   * Sends bytes and waits for the answer.
   *
   * @param bytes that the balancer has asked for
   * @return the answer, which may come before all was sent
   * @throws IOException when the connection ends instead
   */
  public Map<String, Object> send(InputStream bytes) throws IOException {
    try {
      OutputStream out = DataLines.to(this::sendLine);
      bytes.transferTo(out);
      out.flush();
      send(Map.of("end", true));
    } catch (IOException e) {
      return answerInstead(e);
    }
    return receive();
  }

  /** Says why the balancer has had enough before all was sent. */
  private Map<String, Object> answerInstead(IOException sending) throws IOException {
    try {
      return receive();
    } catch (IOException e) {
      sending.addSuppressed(e);
      throw sending;
    }
  }

  private void sendLine(String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

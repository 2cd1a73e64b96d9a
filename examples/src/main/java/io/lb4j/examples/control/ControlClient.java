package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.report.Json;
import java.io.IOException;
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
    if (!Files.exists(socket)) {
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
    ByteBuffer line = ByteBuffer.wrap((Json.line(request) + "\n").getBytes(StandardCharsets.UTF_8));
    while (line.hasRemaining()) {
      channel.write(line);
    }
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

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.Lb;
import io.lb4j.examples.live.RunningConfiguration;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers {@code lb ctl} with one thread of its own. Clients are few, their requests bounded in length and time, and
 * nothing that one of them sends ends the thread or the balancer. Safe from any thread.
 */
public final class ControlServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

  /** Clients at a time. */
  static final int MOST_CONNECTIONS = 16;

  /** Unfinished requests of all clients, in bytes. */
  private static final int MOST_WAITING = 2 * Connection.LONGEST_LINE;

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long CHECK_MS = 1000;
  private static final long STOP_PATIENCE_MS = 5000;

  private final SocketFile socket;
  private final Commands commands;
  private final EventLog events;
  private final Peers peers;
  private final long patienceNs;
  private final Selector selector;
  private final Thread thread;
  private volatile boolean closed;

  ControlServer(SocketFile socket, Commands commands, EventLog events, Duration patience) throws IOException {
    this.socket = socket;
    this.commands = commands;
    this.events = events;
    this.peers = Peers.ofThisProcess();
    this.patienceNs = patience.toNanos();
    this.selector = Selector.open();
    socket.channel().configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
    events.whenNew(selector::wakeup);
    this.thread = new Thread(this::run, "lb-ctl");
    thread.setDaemon(true);
  }

  /**
   * Opens a socket and answers on it from now on.
   *
   * @param path of the socket
   * @param running the balancer and its configuration
   * @return to be closed before the balancer
   * @throws CommandException when the path cannot be used
   * @throws IOException when the system refuses
   */
  public static ControlServer open(Path path, RunningConfiguration running)
      throws CommandException, IOException {
    SocketFile socket = SocketFile.open(path);
    EventLog events = new EventLog();
    try {
      ControlServer server = new ControlServer(socket, Commands.of(running, events), events, PATIENCE);
      running.balancer().addListener(events);
      server.start();
      return server;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  void start() {
    thread.start();
  }

  private void run() {
    while (!closed) {
      try {
        selector.select(CHECK_MS);
        turn(System.nanoTime());
      } catch (IOException | RuntimeException e) {
        LOG.warn("control socket: {}", e.toString());
        pause();
      }
    }
  }

  /** What went wrong may do so again at once, for example when no files can be opened. */
  private static void pause() {
    try {
      Thread.sleep(CHECK_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void turn(long nowNs) throws IOException {
    boolean calls = false;
    for (SelectionKey key : selector.selectedKeys()) {
      if (key.isValid() && key.attachment() instanceof Connection connection) {
        serve(connection, nowNs);
      } else {
        calls |= key.isValid() && key.isAcceptable();
      }
    }
    selector.selectedKeys().clear();
    for (Connection connection : connections()) {
      tend(connection, nowNs);
    }
    if (calls) { // at last, because no file may be left for it
      accept(socket.channel().accept(), nowNs);
    }
  }

  private List<Connection> connections() {
    return selector.keys().stream()
        .filter(SelectionKey::isValid)
        .map(SelectionKey::attachment)
        .filter(Connection.class::isInstance)
        .map(Connection.class::cast)
        .toList();
  }

  private void accept(SocketChannel channel, long nowNs) throws IOException {
    if (channel == null) {
      return;
    }
    try {
      channel.configureBlocking(false);
      if (!peers.admit(channel)) {
        refuse(channel, "only the user who runs the balancer and root may ask");
      } else if (connections().size() >= MOST_CONNECTIONS) {
        refuse(channel, "there are " + MOST_CONNECTIONS + " clients already; try again later");
      } else {
        SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
        key.attach(new Connection(channel, key, commands, events, patienceNs, nowNs));
      }
    } catch (IOException e) {
      channel.close(); // gone before it was told
    }
  }

  private static void refuse(SocketChannel channel, String reason) throws IOException {
    try (channel) {
      String line = Reply.failure(Lb.FAILED, reason, List.of()) + "\n";
      channel.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
    }
  }

  private void serve(Connection connection, long nowNs) {
    guard(connection, () -> connection.onReady(nowNs) && waiting() <= MOST_WAITING);
  }

  /** Something for a client, which answers whether the connection goes on. */
  @FunctionalInterface
  private interface Step {
    boolean goesOn() throws IOException;
  }

  private static void guard(Connection connection, Step step) {
    try {
      if (step.goesOn()) {
        return;
      }
    } catch (IOException e) {
      // the client is gone
    } catch (RuntimeException | Error e) { // no memory for a request, for example: this client's loss alone
      LOG.warn("control socket: {}", e.toString());
    }
    connection.close();
  }

  private long waiting() {
    return connections().stream().mapToLong(Connection::waiting).sum();
  }

  private void tend(Connection connection, long nowNs) {
    guard(connection, () -> connection.onEvents(nowNs) && !connection.isLate(nowNs));
  }

  /**
   * The socket's path.
   *
   * @return without links
   */
  public Path path() {
    return socket.path();
  }

  /** Ends the thread, closes all connections and removes the socket. */
  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      thread.join(STOP_PATIENCE_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      socket.close();
      connections().forEach(Connection::close);
      selector.close();
    } catch (IOException e) {
      LOG.warn("control socket: {}", e.toString());
    }
  }
}

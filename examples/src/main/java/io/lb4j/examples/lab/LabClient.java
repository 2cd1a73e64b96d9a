package io.lb4j.examples.lab;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** The client of the lab, run as a process of its own; prints a {@link ClientReport}. */
public final class LabClient {
  private static final int TIMEOUT_MS = 10_000;
  private static final int HELD_TIMEOUT_MS = 3_000;
  private static final int THREADS = 16;
  private static final long PATIENCE_S = 50;

  private final InetSocketAddress server;
  private final List<InetAddress> sources;
  private final ClientReport.Tally tally = new ClientReport.Tally();
  private final Set<SocketAddress> asked = ConcurrentHashMap.newKeySet(); // from which addresses and ports, by UDP

  private LabClient(String server, String port, String sources) {
    this.server = new InetSocketAddress(server, Integer.parseInt(port));
    this.sources = Stream.of(sources.split(",")).map(LabClient::address).toList();
  }

  private static InetAddress address(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (IOException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  /**
   * Asks, then reports.
   *
   * @param arguments what to do; server address; port; own addresses, separated by commas; then for {@code connect}:
   *     how many new connections; {@code load}: connections, requests in all; {@code hold}: connections, until standard
   *     input ends; {@code udp}: datagrams of new ports, their length; {@code await}: milliseconds; {@code download}
   * @throws Exception when interrupted
   */
  public static void main(String[] arguments) throws Exception {
    LabClient client = new LabClient(arguments[1], arguments[2], arguments[3]);
    int first = arguments.length > 4 ? Integer.parseInt(arguments[4]) : 0;
    int second = arguments.length > 5 ? Integer.parseInt(arguments[5]) : 0;
    switch (arguments[0]) {
      case "connect" -> client.parallel(THREADS, first, client::connect);
      case "load" -> client.load(first, second);
      case "hold" -> client.hold(first);
      case "udp" -> client.parallel(THREADS, first, number -> client.datagram(number, second));
      case "await" -> client.await(first);
      case "download" -> client.download();
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    System.out.println(client.tally.report().print());
  }

  /** One of many things to do, by its number. */
  private interface Task {
    void run(int number) throws IOException;
  }

  private InetAddress source(int number) {
    return sources.get(number % sources.size());
  }

  private void parallel(int threads, int count, Task task) throws InterruptedException {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    AtomicInteger next = new AtomicInteger();
    for (int i = 0; i < threads; i++) {
      executor.execute(() -> {
        for (int number = next.getAndIncrement(); number < count; number = next.getAndIncrement()) {
          attempt(number, task);
        }
      });
    }
    executor.shutdown();
    if (!executor.awaitTermination(PATIENCE_S, TimeUnit.SECONDS)) {
      tally.failed("not done after " + PATIENCE_S + " s");
      executor.shutdownNow();
    }
  }

  private void attempt(int number, Task task) {
    try {
      task.run(number);
    } catch (IOException e) {
      tally.failed(e.toString());
    }
  }

  private void connect(int number) throws IOException {
    InetAddress source = source(number);
    try (HttpConnection connection = new HttpConnection(source, server, TIMEOUT_MS)) {
      tally.answered(text(connection.get("/", true)), source);
    }
  }

  private void load(int connections, int requests) throws InterruptedException {
    parallel(connections, connections, number -> {
      try (HttpConnection connection = new HttpConnection(source(number), server, TIMEOUT_MS)) {
        for (int i = number; i < requests; i += connections) {
          tally.answered(text(connection.get("/", false)), source(number));
        }
      }
    });
  }

  private void hold(int connections) throws Exception {
    AtomicBoolean stopped = new AtomicBoolean();
    CountDownLatch opened = new CountDownLatch(connections);
    Thread load = new Thread(() -> {
      try {
        parallel(connections, connections, number -> hold(number, opened, stopped));
      } catch (InterruptedException e) {
        tally.failed(e.toString());
      }
    });
    load.start();
    opened.await(PATIENCE_S, TimeUnit.SECONDS);
    System.out.println("holding");
    while (System.in.read() >= 0) {
      // until the one who started this has enough
    }
    stopped.set(true);
    load.join();
  }

  private void hold(int number, CountDownLatch opened, AtomicBoolean stopped) throws IOException {
    String name = "nobody";
    try (HttpConnection connection = new HttpConnection(source(number), server, HELD_TIMEOUT_MS)) {
      name = tally.answered(text(connection.get("/", false)), source(number));
      opened.countDown();
      while (!stopped.get()) {
        Lab.pause(20);
        connection.get("/", false);
      }
    } catch (IOException e) {
      tally.broken(name);
      throw e;
    }
  }

  private void datagram(int number, int length) throws IOException {
    InetAddress source = source(number);
    byte[] payload = new byte[length];
    try (DatagramSocket socket = ofNewPort(source)) {
      socket.connect(server);
      socket.setSoTimeout(1000);
      DatagramPacket answer = new DatagramPacket(new byte[65_535], 65_535);
      for (int attempt = 1; ; attempt++) {
        socket.send(new DatagramPacket(payload, length));
        try {
          socket.receive(answer);
          break;
        } catch (SocketTimeoutException e) {
          if (attempt == 3) {
            throw e;
          }
        }
      }
      String text = new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII).strip();
      tally.answered(text, source);
      if (!text.endsWith(" " + length) || answer.getLength() < length) {
        tally.failed("of " + length + " bytes arrived: " + text + "; came back: " + answer.getLength());
      }
    }
  }

  /** A port that the system gives out again, after its socket was closed, would be a flow that the balancer knows. */
  private DatagramSocket ofNewPort(InetAddress source) throws IOException {
    while (true) {
      DatagramSocket socket = new DatagramSocket(new InetSocketAddress(source, 0));
      if (asked.add(socket.getLocalSocketAddress())) {
        return socket;
      }
      socket.close();
    }
  }

  private void await(int milliseconds) {
    long deadlineNs = System.nanoTime() + milliseconds * 1_000_000L;
    String problem = "";
    while (System.nanoTime() - deadlineNs < 0) {
      try {
        connectSoon();
        return;
      } catch (IOException e) {
        problem = e.toString();
        Lab.pause(50);
      }
    }
    tally.failed(problem);
  }

  private void connectSoon() throws IOException {
    try (HttpConnection connection = new HttpConnection(source(0), server, 1000)) {
      tally.answered(text(connection.get("/", true)), source(0));
    }
  }

  private void download() throws IOException {
    try (HttpConnection connection = new HttpConnection(source(0), server, TIMEOUT_MS)) {
      byte[] body = connection.get("/1m", true);
      if (body.length == LabServers.DOWNLOAD_BYTES) {
        tally.answered("s" + (char) body[0] + " downloaded", null);
      } else {
        tally.failed(body.length + " bytes");
      }
    }
  }

  private static String text(byte[] body) {
    return new String(body, StandardCharsets.US_ASCII).strip();
  }
}

package io.lb4j.examples.lab;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A client that keeps connections busy until its standard input ends, run as a process of its own. Every other one is
 * closed after some requests and opened again, the others are kept; one that breaks is opened again. Prints a line for
 * each that breaks, and a {@link ClientReport} in which every connection counts as one answer.
 */
public final class BusyClient {
  private static final int READ_TIMEOUT_MS = 3_000;
  private static final int PAUSE_MS = 60;

  private final InetSocketAddress server;
  private final List<InetAddress> sources;
  private final int requests;
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final CountDownLatch opened;
  private final AtomicInteger answers = new AtomicInteger();
  private final ClientReport.Tally tally = new ClientReport.Tally();

  private BusyClient(InetSocketAddress server, List<InetAddress> sources, int connections, int requests) {
    this.server = server;
    this.sources = sources;
    this.requests = requests;
    this.opened = new CountDownLatch(connections);
  }

  /**
   * Asks, then reports.
   *
   * @param arguments server address; port; own addresses, separated by commas; connections; requests before a
   *     connection that is not kept is closed, 0 for keeping none for more than one
   * @throws Exception when interrupted
   */
  public static void main(String[] arguments) throws Exception {
    List<InetAddress> sources = Stream.of(arguments[2].split(",")).map(BusyClient::address).toList();
    InetSocketAddress server = new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1]));
    int connections = Integer.parseInt(arguments[3]);
    BusyClient client = new BusyClient(server, sources, connections, Integer.parseInt(arguments[4]));
    List<Thread> threads = Stream.iterate(0, n -> n + 1).limit(connections)
        .map(number -> new Thread(() -> client.stayBusy(number))).toList();
    threads.forEach(Thread::start);
    client.opened.await();
    System.out.println("busy");
    while (System.in.read() >= 0) {
      // until the one who started this has enough
    }
    client.stopped.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    System.out.println("answers\t" + client.answers);
    System.out.println(client.tally.report().print());
  }

  private static InetAddress address(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (IOException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  private void stayBusy(int number) {
    int most = requests == 0 ? 1 : number % 2 == 0 ? Integer.MAX_VALUE : requests;
    while (!stopped.get()) {
      connection(sources.get(number % sources.size()), most);
      opened.countDown();
    }
  }

  private void connection(InetAddress source, int most) {
    String name = "nobody";
    long beginMs = System.currentTimeMillis();
    try (HttpConnection connection = new HttpConnection(source, server, READ_TIMEOUT_MS)) {
      name = tally.answered(new String(connection.get("/", most == 1)).strip(), source);
      answers.incrementAndGet();
      for (int i = 1; i < most && !stopped.get(); i++) {
        Lab.pause(PAUSE_MS);
        connection.get("/", false);
        answers.incrementAndGet();
      }
    } catch (IOException e) {
      tally.broken(name);
      tally.failed(name + ": " + e);
      System.out.println("broke\t" + beginMs + "\t" + System.currentTimeMillis() + "\t" + name + "\t" + e);
      Lab.pause(PAUSE_MS);
    }
    if (most == 1) {
      Lab.pause(PAUSE_MS);
    }
  }
}

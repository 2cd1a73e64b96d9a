package io.lb4j.examples.lab;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A client that never stops sending datagrams from one port, until its standard input ends, run as a process of its
 * own. Datagrams are known by their length, which the lab's servers repeat. Prints a line whenever another server
 * answers than before, with the time at which that datagram was sent, and in the end how many were sent and lost.
 */
public final class DatagramStream {
  private static final int PAUSE_MS = 10;
  private static final int SHORTEST = 64;
  private static final int LENGTHS = 1024;
  private static final long LAST_MS = 1_000;

  private final DatagramSocket socket;
  private final AtomicLongArray sentMs = new AtomicLongArray(LENGTHS); // 0: answered, or never sent
  private volatile boolean stopped;
  private int sent; // by the sender, who has ended when it is read
  private final AtomicInteger answered = new AtomicInteger();

  private DatagramStream(DatagramSocket socket) {
    this.socket = socket;
  }

  /**
   * Sends.
   *
   * @param arguments server address; port; own address
   * @throws Exception when interrupted
   */
  public static void main(String[] arguments) throws Exception {
    try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(InetAddress.getByName(arguments[2]), 0))) {
      socket.connect(new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1])));
      DatagramStream stream = new DatagramStream(socket);
      Thread listener = new Thread(stream::listen);
      listener.setDaemon(true);
      listener.start();
      Thread sender = new Thread(stream::send);
      sender.start();
      while (System.in.read() >= 0) {
        // until the one who started this has enough
      }
      stream.stopped = true;
      sender.join();
      Lab.pause(LAST_MS);
      System.out.println("sent " + stream.sent + " lost " + (stream.sent - stream.answered.get()));
    }
  }

  private void send() {
    for (; !stopped; sent++) {
      int number = sent % LENGTHS;
      sentMs.set(number, System.currentTimeMillis());
      try {
        socket.send(new DatagramPacket(new byte[SHORTEST + number], SHORTEST + number));
      } catch (IOException e) {
        System.out.println("failed " + e);
      }
      Lab.pause(PAUSE_MS);
    }
  }

  private void listen() {
    DatagramPacket answer = new DatagramPacket(new byte[SHORTEST + LENGTHS], SHORTEST + LENGTHS);
    String before = "";
    while (true) {
      try {
        answer.setLength(SHORTEST + LENGTHS);
        socket.receive(answer);
      } catch (IOException e) {
        if (!socket.isClosed()) {
          System.out.println("failed " + e);
        }
        return;
      }
      long atMs = sentMs.getAndSet(answer.getLength() - SHORTEST, 0);
      String text = new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
      String server = text.substring(0, text.indexOf(' '));
      if (!server.equals(before)) {
        System.out.println("answers " + server + " " + atMs);
        before = server;
      }
      answered.addAndGet(atMs == 0 ? 0 : 1);
    }
  }
}

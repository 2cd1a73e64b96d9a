package io.lb4j.examples.lab;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;

/**
 * A client whose connections have one port, the next right after the one before, run as a process of its own. By turns
 * the server ends a connection, and the client resets it. Prints a line for each: who answered, and how many
 * milliseconds it took to connect.
 */
public final class ReusedPort {
  private static final int TIMEOUT_MS = 10_000;
  private static final int LONGEST = 1000;
  private static final String KEPT = "GET / HTTP/1.1\r\nHost: lab\r\n\r\n";
  private static final String ENDED = "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";

  private ReusedPort() {}

  /**
   * Connects.
   *
   * @param arguments server address; port; own address; own port; how often
   * @throws IOException when a connection fails
   */
  public static void main(String[] arguments) throws IOException {
    InetSocketAddress server = new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1]));
    InetSocketAddress own =
        new InetSocketAddress(InetAddress.getByName(arguments[2]), Integer.parseInt(arguments[3]));
    for (int i = 0; i < Integer.parseInt(arguments[4]); i++) {
      while (!isConnected(server, own, i % 2 == 1)) {
        Lab.pause(1);
      }
    }
  }

  /** False while the kernel waits for the acknowledgement of the last connection's end. */
  private static boolean isConnected(InetSocketAddress server, InetSocketAddress own, boolean reset)
      throws IOException {
    try {
      connect(server, own, reset);
      return true;
    } catch (BindException e) {
      return false;
    }
  }

  private static void connect(InetSocketAddress server, InetSocketAddress own, boolean reset) throws IOException {
    try (Socket socket = new Socket()) {
      socket.setReuseAddress(true);
      socket.setSoTimeout(TIMEOUT_MS);
      socket.bind(own);
      long beginNs = System.nanoTime();
      socket.connect(server, TIMEOUT_MS);
      long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
      socket.getOutputStream().write((reset ? KEPT : ENDED).getBytes(StandardCharsets.US_ASCII));
      byte[] answer = new byte[LONGEST];
      int length = reset
          ? socket.getInputStream().read(answer)
          : socket.getInputStream().readNBytes(answer, 0, LONGEST);
      String text = new String(answer, 0, length, StandardCharsets.US_ASCII).strip();
      System.out.println("connected " + text.substring(text.lastIndexOf('\n') + 1).split(" ")[0] + " " + tookMs);
      if (reset) {
        socket.setOption(StandardSocketOptions.SO_LINGER, 0);
      }
    }
  }
}

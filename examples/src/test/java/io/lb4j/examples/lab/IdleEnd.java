package io.lb4j.examples.lab;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * One end of a connection that says a little and then waits for the other, run as a process of its own; prints what it
 * waits for, and what came.
 */
public final class IdleEnd {
  private static final int END_OF_WORDS = '~';

  private IdleEnd() {}

  /**
   * Waits.
   *
   * @param arguments {@code server}, its address and port; or {@code client}, its address, the service's address and
   *     port
   * @throws IOException when no connection comes about
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments[0].equals("server")) {
      serve(InetAddress.getByName(arguments[1]), Integer.parseInt(arguments[2]));
    } else {
      ask(InetAddress.getByName(arguments[1]), new InetSocketAddress(arguments[2], Integer.parseInt(arguments[3])));
    }
  }

  private static void serve(InetAddress address, int port) throws IOException {
    try (ServerSocket listening = new ServerSocket(port, 10, address)) {
      System.out.println("listening");
      try (Socket client = listening.accept()) {
        listen(client);
        say(client, 3000);
        await(client);
      }
    }
  }

  private static void ask(InetAddress source, InetSocketAddress service) throws IOException {
    try (Socket socket = new Socket()) {
      socket.bind(new InetSocketAddress(source, 0));
      socket.connect(service, 10_000);
      say(socket, 200);
      listen(socket);
      await(socket);
    }
  }

  private static void say(Socket socket, int length) throws IOException {
    byte[] words = new byte[length];
    words[length - 1] = END_OF_WORDS;
    socket.getOutputStream().write(words);
  }

  /** Until the last byte of words comes; a PROXY header may come before them. */
  private static void listen(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    byte[] words = new byte[10_000];
    int read = in.read(words);
    while (read > 0 && words[read - 1] != END_OF_WORDS) {
      read = in.read(words);
    }
  }

  private static void await(Socket socket) {
    System.out.println("waiting");
    try {
      System.out.println("came: " + socket.getInputStream().read());
    } catch (IOException e) {
      System.out.println("came: " + e.getMessage());
    }
  }
}

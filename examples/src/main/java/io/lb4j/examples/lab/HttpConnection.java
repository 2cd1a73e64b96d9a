package io.lb4j.examples.lab;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** A connection of the lab's client to a web server, for any number of requests. Owned by one thread. */
final class HttpConnection implements AutoCloseable {
  private static final int CONNECT_TIMEOUT_MS = 10_000;

  private final Socket socket = new Socket();
  private final InputStream in;

  /**
   * Connects.
   *
   * @param source the client's address to connect from
   * @param readTimeoutMs how long to wait for each part of an answer
   */
  HttpConnection(InetAddress source, InetSocketAddress server, int readTimeoutMs) throws IOException {
    try {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(readTimeoutMs);
      socket.bind(new InetSocketAddress(source, 0));
      socket.connect(server, CONNECT_TIMEOUT_MS);
      in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  byte[] get(String path, boolean last) throws IOException {
    String request = "GET " + path + " HTTP/1.1\r\nHost: lab\r\n" + (last ? "Connection: close\r\n" : "") + "\r\n";
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    String status = line();
    if (!status.contains(" 200 ")) {
      throw new IOException("answered: " + status);
    }
    int length = -1;
    for (String header = line(); !header.isEmpty(); header = line()) {
      if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(header.substring(15).strip());
      }
    }
    byte[] body = in.readNBytes(length);
    if (body.length != length) {
      throw new EOFException(body.length + " of " + length + " bytes");
    }
    return body;
  }

  private String line() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (c != '\r') {
        text.append((char) c);
      }
    }
    return text.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}

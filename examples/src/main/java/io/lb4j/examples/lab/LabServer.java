package io.lb4j.examples.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * A real server of the lab, run as a process of its own: answers each datagram with its name, the sender's address and
 * the datagram's length, in as many bytes, and when asked for is a small web server too. One socket per address: a
 * wildcard socket would answer from the server's own address, not from the virtual one.
 */
public final class LabServer {
  private static final int BACKLOG = 1024;

  private final String name;

  private LabServer(String name) {
    this.name = name;
  }

  /**
   * Serves until it is ended.
   *
   * @param arguments name, UDP port, {@code udp} or {@code all}, addresses to bind; instead of {@code udp} an address:
   *     a datagram is exchanged with the server there first
   * @throws IOException when a socket cannot be bound
   */
  public static void main(String[] arguments) throws IOException {
    LabServer server = new LabServer(arguments[0]);
    int port = Integer.parseInt(arguments[1]);
    for (int i = 3; i < arguments.length; i++) {
      InetAddress address = InetAddress.getByName(arguments[i]);
      DatagramSocket socket = new DatagramSocket(new InetSocketAddress(address, port));
      if (arguments[2].contains(".") || arguments[2].contains(":")) {
        greet(socket, new InetSocketAddress(arguments[2], LabServers.UDP_PORT));
      }
      new Thread(() -> server.echo(socket)).start();
      if (arguments[2].equals("all")) {
        for (int webPort : LabServers.WEB_PORTS) {
          ServerSocket web = new ServerSocket(webPort, BACKLOG, address);
          new Thread(() -> server.web(web)).start();
        }
      }
    }
    System.out.println("ready");
  }

  private static void greet(DatagramSocket socket, InetSocketAddress other) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[64], 64, other);
    socket.send(packet);
    socket.receive(packet);
  }

  private void echo(DatagramSocket socket) {
    DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
    while (true) {
      try {
        packet.setLength(65_535);
        socket.receive(packet);
        String answer = name + " " + packet.getAddress().getHostAddress() + " " + packet.getLength();
        answer += " ".repeat(Math.max(0, packet.getLength() - answer.length()));
        byte[] bytes = answer.getBytes(StandardCharsets.US_ASCII);
        socket.send(new DatagramPacket(bytes, bytes.length, packet.getSocketAddress()));
      } catch (IOException e) {
        System.err.println(e);
      }
    }
  }

  private void web(ServerSocket web) {
    while (true) {
      try {
        Socket client = web.accept();
        new Thread(() -> answer(client)).start();
      } catch (IOException e) {
        System.err.println(e);
      }
    }
  }

  private void answer(Socket client) {
    try (client;
        BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream(),
            StandardCharsets.US_ASCII))) {
      String request = in.readLine();
      while (request != null) {
        String header = in.readLine();
        while (header != null && !header.isEmpty()) {
          header = in.readLine();
        }
        respond(client, request);
        request = request.endsWith("1.0") ? null : in.readLine();
      }
    } catch (IOException e) {
      System.err.println(e);
    }
  }

  private void respond(Socket client, String request) throws IOException {
    String text = name + " " + client.getInetAddress().getHostAddress() + " "
        + client.getLocalAddress().getHostAddress() + "\n";
    byte[] body = request.contains(" /1m ")
        ? new byte[LabServers.DOWNLOAD_BYTES]
        : text.getBytes(StandardCharsets.US_ASCII);
    OutputStream out = client.getOutputStream();
    String head = "HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n";
    out.write(head.getBytes(StandardCharsets.US_ASCII));
    out.write(body);
    out.flush();
  }
}

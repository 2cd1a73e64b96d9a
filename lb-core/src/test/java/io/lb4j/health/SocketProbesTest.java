package io.lb4j.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.address.IpAddress;
import io.lb4j.monitor.Check;
import io.lb4j.monitor.HttpCheck;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.monitor.ProbeTarget;
import io.lb4j.monitor.UdpCheck;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** With sockets of this host, on its loopback interface. */
class SocketProbesTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Duration SHORT = Duration.ofMillis(300);

  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  /** What a server does with a connection. */
  private interface Serving {
    void serve(Socket socket) throws IOException, InterruptedException;
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
    for (Thread thread : threads) {
      thread.interrupt();
      thread.join(5_000);
      assertThat(thread.isAlive()).isFalse();
    }
  }

  private static ProbeTarget target(String address, int port, Duration timeout) {
    return new ProbeTarget("web", "rs1", IpAddress.of(address), port, timeout);
  }

  private static ProbeResult probe(Check check, ProbeTarget target) throws Exception {
    return SocketProbes.run(check, target, new OpenSocket());
  }

  private ServerSocket listen(String address) throws IOException {
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName(address));
    open.add(server);
    return server;
  }

  private void start(Runnable task) {
    Thread thread = new Thread(task, "test-server");
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  /** A server that serves one connection. */
  private int serve(String address, Serving serving) throws IOException {
    ServerSocket server = listen(address);
    start(
        () -> {
          try (Socket socket = server.accept()) {
            open.add(socket);
            serving.serve(socket);
          } catch (IOException | InterruptedException e) {
            return; // the probe has gone
          }
        });
    return server.getLocalPort();
  }

  /** A server that reads a request and answers with text. */
  private int answering(String address, String answer, Consumer<String> request) throws IOException {
    return serve(
        address,
        socket -> {
          request.accept(readHead(socket));
          socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
        });
  }

  private static String readHead(Socket socket) throws IOException {
    StringBuilder head = new StringBuilder();
    InputStream in = socket.getInputStream();
    while (head.indexOf("\r\n\r\n") < 0) {
      int c = in.read();
      if (c < 0) {
        throw new IOException("no request");
      }
      head.append((char) c);
    }
    return head.toString();
  }

  private static int closedPort(String address) throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName(address))) {
      return server.getLocalPort();
    }
  }

  // ---- tcp -----------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void shouldConnectByTcp(String address) throws Exception {
    ProbeResult result = probe(new Check.TcpConnect(), target(address, listen(address).getLocalPort(), LONG));
    assertThat(result.ok()).as(result.toString()).isTrue();
    assertThat(result.elapsedNs()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void shouldTellThatAPortIsClosed(String address) throws Exception {
    for (Check check : List.of(new Check.TcpConnect(), HttpCheck.get("/"))) {
      ProbeResult result = probe(check, target(address, closedPort(address), LONG));
      assertThat(result.reason()).as(result.toString()).isEqualTo(ProbeReason.REFUSED);
    }
  }

  /** A listener whose queue is full drops SYNs, as a dead host does. */
  @Test
  void shouldTellThatNothingCameInTime() throws Exception {
    ServerSocket full = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
    open.add(full);
    ProbeTarget target = target("127.0.0.1", full.getLocalPort(), SHORT);
    ProbeResult result = null;
    for (int n = 0; n < 10 && (result == null || result.ok()); n++) {
      Socket filling = new Socket();
      open.add(filling);
      try {
        filling.connect(new InetSocketAddress(full.getInetAddress(), full.getLocalPort()), 200);
      } catch (SocketTimeoutException e) {
        result = probe(new Check.TcpConnect(), target);
      }
    }
    assertThat(result).isNotNull();
    assertThat(result.reason()).isEqualTo(ProbeReason.TIMED_OUT);
    assertThat(result.detail()).isEqualTo("no answer within 300 ms");
  }

  @ParameterizedTest
  @CsvSource({
    "Connection refused,               ConnectException,       false, REFUSED",
    "Connection timed out,             ConnectException,       false, TIMED_OUT",
    "Network is unreachable,           ConnectException,       false, UNREACHABLE",
    "No route to host,                 NoRouteToHostException, false, UNREACHABLE",
    "Network is unreachable,           SocketException,        false, UNREACHABLE",
    "Connection reset,                 SocketException,        true,  CLOSED",
    "something else,                   IOException,            true,  FAILED",
  })
  void shouldNameReasonsByTheKernelsWords(String words, String type, boolean connected, ProbeReason reason) {
    IOException failure =
        switch (type) {
          case "ConnectException" -> new ConnectException(words);
          case "NoRouteToHostException" -> new NoRouteToHostException(words);
          case "SocketException" -> new SocketException(words);
          default -> new IOException(words);
        };
    ProbeResult result = SocketProbes.failure(failure, connected, target("192.0.2.1", 80, LONG));
    assertThat(result.reason()).isEqualTo(reason);
  }

  /** The balancer's own want takes no server down. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Too many open files",
        "Too many open files in system",
        "No buffer space available",
        "Cannot allocate memory"
      })
  void shouldMakeNoResultOfWhatTheHostLacks(String words) {
    assertThatExceptionOfType(NotMadeException.class)
        .isThrownBy(() -> SocketProbes.failure(new SocketException(words), false, target("192.0.2.1", 80, LONG)))
        .withMessage(words);
  }

  // ---- udp -----------------------------------------------------------------------------------------------------

  private int udp(String address, String answer) throws IOException {
    DatagramSocket server = new DatagramSocket(0, InetAddress.getByName(address));
    open.add(server);
    start(
        () -> {
          try {
            DatagramPacket request = new DatagramPacket(new byte[2000], 2000);
            server.receive(request);
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            server.send(new DatagramPacket(bytes, bytes.length, request.getSocketAddress()));
          } catch (IOException e) {
            return; // the test is over
          }
        });
    return server.getLocalPort();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 'pong 1', '',     ANSWERED",
    "::1,       'pong 1', '',     ANSWERED",
    "127.0.0.1, 'pong 1', 'ng 1', ANSWERED",
    "::1,       'pong 1', 'ng 2', WRONG_ANSWER",
    "127.0.0.1, '',       '',     ANSWERED",
    "127.0.0.1, '',       'x',    WRONG_ANSWER",
  })
  void shouldAskByUdp(String address, String answer, String expected, ProbeReason reason) throws Exception {
    UdpCheck check = UdpCheck.sending(bytes("ping")).expecting(bytes(expected));
    ProbeResult result = probe(check, target(address, udp(address, answer), LONG));
    assertThat(result.reason()).as(result.toString()).isEqualTo(reason);
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void shouldTellThatAUdpPortIsClosedEvenWhenSilencePasses(String address) throws Exception {
    int port;
    try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getByName(address))) {
      port = socket.getLocalPort();
    }
    ProbeResult result =
        probe(UdpCheck.sending(bytes("ping")).silencePasses(true), target(address, port, LONG));
    assertThat(result.reason()).as(result.toString()).isEqualTo(ProbeReason.REFUSED);
  }

  @ParameterizedTest
  @CsvSource({"true, ANSWERED", "false, TIMED_OUT"})
  void shouldTakeSilenceAsDeclared(boolean passes, ProbeReason reason) throws Exception {
    DatagramSocket silent = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"));
    open.add(silent);
    UdpCheck check = UdpCheck.sending(bytes("ping")).silencePasses(passes);
    ProbeResult result = probe(check, target("127.0.0.1", silent.getLocalPort(), SHORT));
    assertThat(result.reason()).isEqualTo(reason);
    assertThat(result.elapsedNs()).as("silence is no measurement").isNegative();
  }

  // ---- http ----------------------------------------------------------------------------------------------------

  private static final String CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

  @ParameterizedTest
  @CsvSource({
    "'HTTP/1.1 200 OK\r\n\r\nall is well',                                    '',   ANSWERED",
    "'HTTP/1.0 200\r\n\r\n',                                                  '',   ANSWERED",
    "'HTTP/1.1 204 No Content\r\n\r\n',                                       '',   ANSWERED",
    "'HTTP/1.1 503 Service Unavailable\r\n\r\n',                              '',   WRONG_ANSWER",
    "'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n',                             '',   WRONG_ANSWER",
    "'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',                  '',   ANSWERED",
    "'HTTP/1.1 200 OK\r\n\r\nall is well',                                    well, ANSWERED",
    "'HTTP/1.1 200 OK\r\n\r\nall is wel',                                     well, WRONG_ANSWER",
    "'HTTP/1.1 200 OK\nContent-Length: 11\n\nall is well',                    well, ANSWERED",
    "'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nall is well',              well, WRONG_ANSWER",
    "'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nall is bad',               well, CLOSED",
    "'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nall is well',              well, WRONG_ANSWER",
    "'HTTP/1.1 200 OK\r\nX: 1',                                               '',   CLOSED",
    "'',                                                                      '',   CLOSED",
    "'SSH-2.0-OpenSSH_9.2\r\n\r\n',                                           '',   WRONG_ANSWER",
    "'HTTP/2 200\r\n\r\n',                                                    '',   WRONG_ANSWER",
  })
  void shouldAskByHttp(String answer, String text, ProbeReason reason) throws Exception {
    HttpCheck check = HttpCheck.get("/health").containing(text);
    ProbeResult result = probe(check, target("127.0.0.1", answering("127.0.0.1", answer, request -> {}), LONG));
    assertThat(result.reason()).as(result.toString()).isEqualTo(reason);
  }

  @ParameterizedTest
  @CsvSource({
    "'4\r\nall \r\n7;x=y\r\nis well\r\n0\r\n\r\n', ANSWERED",
    "'9\r\nall is we\r\n2\r\nll\r\n0\r\n\r\n',     ANSWERED",
    "'9\r\nall is we\r\n0\r\n\r\nll',              WRONG_ANSWER",
    "'9\r\nall is we\r\n5\r\nl',                   CLOSED",
    "'x\r\nall is well',                           WRONG_ANSWER",
  })
  void shouldReadChunks(String body, ProbeReason reason) throws Exception {
    HttpCheck check = HttpCheck.get("/").containing("well");
    ProbeResult result =
        probe(check, target("127.0.0.1", answering("127.0.0.1", CHUNKED + body, request -> {}), LONG));
    assertThat(result.reason()).as(result.toString()).isEqualTo(reason);
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, false, '',              GET /a?b=c HTTP/1.1,  127.0.0.1:PORT",
    "::1,       true,  '',              HEAD /a?b=c HTTP/1.1, [::1]:PORT",
    "127.0.0.1, false, www.example.com, GET /a?b=c HTTP/1.1,  www.example.com",
  })
  void shouldSendOneRequest(String address, boolean head, String host, String first, String field) throws Exception {
    StringBuilder request = new StringBuilder();
    CountDownLatch read = new CountDownLatch(1);
    int port =
        answering(
            address,
            "HTTP/1.1 200 OK\r\n\r\n",
            text -> {
              request.append(text);
              read.countDown();
            });
    HttpCheck check = head ? HttpCheck.head("/a?b=c") : HttpCheck.get("/a?b=c");
    ProbeResult result = probe(host.isEmpty() ? check : check.host(host), target(address, port, LONG));
    assertThat(result.ok()).as(result.toString()).isTrue();
    assertThat(read.await(5, TimeUnit.SECONDS)).isTrue();
    assertThat(request.toString().split("\r\n"))
        .startsWith(first, "Host: " + field.replace("PORT", Integer.toString(port)))
        .contains("Connection: close");
  }

  @Test
  void shouldLookAtSoMuchOfAnEndlessBodyAndNoMore() throws Exception {
    byte[] zeros = new byte[8192];
    int port =
        serve(
            "127.0.0.1",
            socket -> {
              readHead(socket);
              OutputStream out = socket.getOutputStream();
              out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
              while (true) {
                out.write(zeros);
              }
            });
    ProbeResult result = probe(HttpCheck.get("/").containing("well"), target("127.0.0.1", port, LONG));
    assertThat(result.reason()).isEqualTo(ProbeReason.WRONG_ANSWER);
    assertThat(result.detail()).isEqualTo("the expected text is not in the body's first 65536 bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"X-Fill: 0123456789\r\n", "0123456789"})
  void shouldRefuseAHeadWithoutEnd(String filling) throws Exception {
    int port =
        serve(
            "127.0.0.1",
            socket -> {
              readHead(socket);
              OutputStream out = socket.getOutputStream();
              out.write("HTTP/1.1 200 OK\r\n".getBytes(StandardCharsets.US_ASCII));
              while (true) {
                out.write(filling.getBytes(StandardCharsets.US_ASCII));
              }
            });
    ProbeResult result = probe(HttpCheck.get("/"), target("127.0.0.1", port, LONG));
    assertThat(result.reason()).as(result.toString()).isEqualTo(ProbeReason.WRONG_ANSWER);
  }

  /** A byte now and then would keep a socket's own time-out from ever coming. */
  @ParameterizedTest
  @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n"})
  void shouldEndInTimeHoweverSlowlyAServerAnswers(String begin) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    int port =
        serve(
            "127.0.0.1",
            socket -> {
              readHead(socket);
              OutputStream out = socket.getOutputStream();
              out.write(begin.getBytes(StandardCharsets.US_ASCII));
              while (!done.await(50, TimeUnit.MILLISECONDS)) {
                out.write('X');
              }
            });
    long beginNs = System.nanoTime();
    ProbeResult result = probe(HttpCheck.get("/").containing("well"), target("127.0.0.1", port, SHORT));
    long tookNs = System.nanoTime() - beginNs;
    done.countDown();
    assertThat(result.reason()).as(result.toString()).isEqualTo(ProbeReason.TIMED_OUT);
    assertThat(tookNs).as("not for ever").isLessThan(TimeUnit.SECONDS.toNanos(10));
  }

  @Test
  void shouldEndWhenItIsAbandoned() throws Exception {
    ServerSocket silent = listen("127.0.0.1");
    OpenSocket socket = new OpenSocket();
    start(
        () -> {
          try (Socket accepted = silent.accept()) {
            readHead(accepted);
            socket.abandon();
          } catch (IOException e) {
            return; // the test is over
          }
        });
    ProbeResult result =
        SocketProbes.http(HttpCheck.get("/"), target("127.0.0.1", silent.getLocalPort(), LONG), socket);
    assertThat(result.ok()).isFalse();
    assertThat(SocketProbes.tcp(target("127.0.0.1", silent.getLocalPort(), LONG), socket).reason())
        .as("nothing is opened afterwards")
        .isEqualTo(ProbeReason.FAILED);
  }
}

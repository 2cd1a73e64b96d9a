package io.lb4j.examples.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.event.Event;
import io.lb4j.examples.report.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that mean no good, or do not know better: each hurts itself at most. */
@Timeout(60)
class ControlServerTest {
  private static final String STATUS = "{\"command\":\"status\"}\n";
  private static final Duration PATIENCE = Duration.ofMillis(1500);

  private static RunningFixture fixture;

  private final List<Client> clients = new ArrayList<>();

  /** A client that sends what it likes. */
  private final class Client {
    private final SocketChannel channel;
    private final BufferedReader in;

    Client() throws IOException {
      channel = SocketChannel.open(UnixDomainSocketAddress.of(fixture.socket));
      in = new BufferedReader(Channels.newReader(channel, UTF_8));
      clients.add(this);
    }

    Client send(String text) throws IOException {
      return send(text.getBytes(UTF_8));
    }

    Client send(byte[] bytes) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      return this;
    }

    /** The next line; null at the end of the connection. */
    Map<String, Object> receive() throws IOException {
      String line = in.readLine();
      return line == null ? null : Json.object(line);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return (Map<String, Object>) value;
  }

  @BeforeAll
  static void open() throws Exception {
    fixture = new RunningFixture(PATIENCE);
  }

  @AfterEach
  void leave() throws Exception {
    for (Client client : clients) {
      client.channel.close();
    }
    assertThat(answers()).as("whatever was done, it answers").isTrue();
  }

  @AfterAll
  static void close() throws Exception {
    fixture.close();
  }

  private static String error(Map<String, Object> reply) {
    assertThat(reply).containsEntry("ok", false).containsKey("exit");
    return (String) reply.get("error");
  }

  @ParameterizedTest
  @ValueSource(strings = {
    "", "hello", "[]", "42", "\"status\"", "{", "{\"command\":", "{\"command\":1}", "{}", "{\"command\":\"reboot\"}",
    "{\"command\":\"status\"} {}", "{\"command\":\"status\",\"command\":\"status\"}", "{\"command\":\"status\",\"x\":1}",
    "{\"command\":\"drain\"}", "{\"command\":\"drain\",\"server\":7}", "{\"command\":\"weight\",\"server\":\"web/rs1\"}",
    "{\"command\":\"weight\",\"server\":\"web/rs1\",\"weight\":1e99}",
    "{\"command\":\"weight\",\"server\":\"web/rs1\",\"weight\":99999999999999999999999999999999}",
    "{\"command\":\"status\",\"as\":\"xml\"}", "{\"command\":\"events\",\"follow\":\"yes\"}",
    "{\"command\":\"apply\",\"file\":\"\\u0000\",\"text\":\"\"}", "{\"command\":\"apply\",\"file\":\"f\",\"text\":\"a: [\"}",
    "GET / HTTP/1.1\r", "\u0000\u0001\u0002",
    "{\"command\":\"flows\",\"position\":2147483648}", "{\"command\":\"flows\",\"position\":6442450944}",
    "{\"command\":\"flows\",\"position\":9223372034707292160}",
    "{\"command\":\"flows\",\"idle-at-least\":\"999999999999d\"}",
    "{\"command\":\"save\",\"used-within\":\"999999999999d\"}",
  })
  void shouldAnswerWhatIsNoRequestWithAnErrorAndGoOn(String line) throws IOException {
    Client client = new Client();
    assertThat(error(client.send(line + "\n").receive())).isNotBlank().doesNotContain("internal error");
    assertThat(client.send(STATUS).receive()).as("the same connection").containsEntry("ok", true);
  }

  @Test
  void shouldOutliveErrors() throws IOException {
    Client client = new Client();
    assertThat(error(client.send("{\"command\":\"exhaust\"}\n").receive())).contains("OutOfMemoryError");
    assertThat(client.send(STATUS).receive()).as("the same connection").containsEntry("ok", true);
    assertThat(client.send("{\"command\":\"break\"}\n").receive()).as("gone").isNull();
  }

  /** A client that keeps the server busy until it is told to go on. */
  private Client occupied() throws IOException {
    Client client = new Client().send("{\"command\":\"swallow\",\"most\":2}\n");
    assertThat(client.receive()).containsEntry("upload", true);
    return client;
  }

  private static void release(Client occupying) throws IOException {
    occupying.send("{\"end\":true}\n");
    assertThat(occupying.receive()).containsEntry("ok", true);
  }

  @Test
  void shouldGiveEachClientATurn() throws IOException {
    String request = "{\"command\":\"number\"}\n";
    List<Client> greedy = List.of(new Client(), new Client());
    List<Client> modest = List.of(new Client(), new Client(), new Client(), new Client(), new Client());
    for (Client client : clients) {
      assertThat(client.send(STATUS).receive()).containsEntry("ok", true);
    }
    Client occupying = occupied();
    for (Client client : greedy) {
      client.send(request.repeat(500));
    }
    for (Client client : modest) {
      client.send(request);
    }
    release(occupying);
    for (Client client : modest) {
      assertThat(Long.parseLong((String) object(client.receive().get("result")).get("done"))).isLessThan(100);
    }
    for (Client client : greedy) {
      for (int i = 0; i < 500; i++) {
        assertThat(client.receive()).containsEntry("ok", true);
      }
    }
  }

  @Test
  void shouldNotPauseForClientsThatLeaveBeforeTheyAreRefused() throws IOException {
    for (int i = 1; i < ControlServer.MOST_CONNECTIONS; i++) {
      assertThat(new Client().send(STATUS).receive()).containsEntry("ok", true);
    }
    Client client = clients.get(0);
    Client occupying = occupied();
    for (int i = 0; i < 8; i++) {
      SocketChannel.open(UnixDomainSocketAddress.of(fixture.socket)).close();
    }
    long before = System.nanoTime();
    release(occupying);
    for (int i = 0; i < 8; i++) {
      assertThat(client.send(STATUS).receive()).containsEntry("ok", true);
    }
    assertThat(System.nanoTime() - before).isLessThan(4_000_000_000L);
  }

  /** All of them at once, and not so many whenever there is something new. */
  @Test
  void shouldSendEventsThatHaveGathered() throws IOException {
    Client client = new Client().send("{\"command\":\"events\",\"follow\":true}\n");
    assertThat(client.receive()).containsEntry("ok", true);
    Client occupying = occupied();
    for (int i = 0; i < EventLog.CAPACITY; i++) {
      fixture.events.onEvent(new Event.ServerDown("web", "rs" + i, "refused", ""));
    }
    long before = System.nanoTime();
    release(occupying);
    for (int i = 0; i < EventLog.CAPACITY; i++) {
      assertThat(object(client.receive().get("result"))).containsEntry("subject", "web/rs" + i);
    }
    assertThat(System.nanoTime() - before).isLessThan(5_000_000_000L);
  }

  @Test
  void shouldBoundDepth() throws IOException {
    Client client = new Client();
    String deep = "{\"command\":" + "[".repeat(100_000);
    assertThat(error(client.send(deep + "\n").receive())).contains("depth");
  }

  @Test
  void shouldSurviveNoise() throws IOException {
    Random random = new Random(5);
    for (int i = 0; i < 200; i++) {
      byte[] noise = new byte[1 + random.nextInt(300)];
      random.nextBytes(noise);
      Client client = new Client();
      client.send(noise);
      client.channel.close();
    }
  }

  @Test
  void shouldEndAnOverlongRequest() throws IOException {
    Client client = new Client();
    byte[] part = "x".repeat(1 << 20).getBytes(UTF_8);
    try {
      for (int i = 0; i < 9; i++) {
        client.send(part);
      }
    } catch (IOException e) {
      // closed before everything was sent
    }
    assertThat(error(client.receive())).contains("longer than " + Connection.LONGEST_LINE);
    assertThat(client.in.read()).isEqualTo(-1);
  }

  @Test
  void shouldTakeRequestsInPiecesAndSeveralAtOnce() throws IOException {
    Client client = new Client();
    for (byte b : STATUS.getBytes(UTF_8)) {
      client.send(new byte[] {b});
    }
    assertThat(client.receive()).containsEntry("ok", true);
    client.send(STATUS.repeat(50));
    for (int i = 0; i < 50; i++) {
      assertThat(client.receive()).containsEntry("ok", true);
    }
  }

  @Test
  void shouldAnswerAfterTheClientHasStoppedSending() throws IOException {
    Client client = new Client();
    client.send(STATUS);
    client.channel.shutdownOutput();
    assertThat(client.receive()).containsEntry("ok", true);
    assertThat(client.receive()).isNull();
  }

  @Test
  void shouldEndRequestsThatDoNotCome() throws IOException {
    Client silent = new Client();
    Client slow = new Client().send("{\"command\":");
    assertThat(silent.receive()).isNull();
    assertThat(slow.receive()).isNull();
  }

  @Test
  void shouldBoundConnections() throws IOException {
    List<Client> many = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      many.add(new Client());
    }
    int served = 0;
    for (Client client : many) {
      try {
        Map<String, Object> reply = client.send(STATUS).receive();
        served += reply != null && reply.get("ok").equals(true) ? 1 : 0;
      } catch (IOException e) {
        // refused, and closed
      }
    }
    assertThat(served).isBetween(1, ControlServer.MOST_CONNECTIONS);
  }

  /** Closed connections are noticed by and by. */
  private boolean answers() {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (System.nanoTime() - deadline < 0) {
      try {
        Client client = new Client();
        Map<String, Object> reply = client.send(STATUS).receive();
        client.channel.close();
        if (reply != null && reply.get("ok").equals(true)) {
          return true;
        }
      } catch (IOException e) {
        // not yet
      }
    }
    return false;
  }

  @Test
  void shouldEndClientsThatDoNotTakeTheirAnswers() throws IOException {
    Client client = new Client();
    client.channel.configureBlocking(false);
    ByteBuffer requests = ByteBuffer.wrap(STATUS.repeat(10_000).getBytes(UTF_8));
    while (requests.hasRemaining() && client.channel.write(requests) > 0) {
      Thread.onSpinWait();
    }
    client.channel.configureBlocking(true);
    long deadline = System.nanoTime() + 20_000_000_000L;
    boolean ended = false;
    while (!ended && System.nanoTime() - deadline < 0) {
      try {
        client.send("\n");
      } catch (IOException e) {
        ended = true;
      }
    }
    assertThat(ended).isTrue();
  }

  @Test
  void shouldSendBytesBeforeTheAnswer() throws IOException {
    Client client = new Client().send("{\"command\":\"noise\",\"bytes\":200000}\n" + STATUS);
    int seen = 0;
    Map<String, Object> line = client.receive();
    for (byte[] bytes = DataLines.bytes(line); bytes != null; bytes = DataLines.bytes(line)) {
      for (byte b : bytes) {
        assertThat(b).isEqualTo((byte) seen++);
      }
      line = client.receive();
    }
    assertThat(seen).isEqualTo(200_000);
    assertThat(object(line.get("result"))).containsEntry("done", "sent 200000");
    assertThat(client.receive()).as("the next request").containsEntry("ok", true);
  }

  @Test
  void shouldTakeBytesForARequest() throws IOException {
    Client client = new Client().send("{\"command\":\"swallow\",\"most\":1000000}\n");
    assertThat(client.receive()).containsEntry("upload", true);
    OutputStream out = DataLines.to(line -> client.send(line + "\n"));
    for (int i = 0; i < 300_000; i++) {
      out.write(i % 3);
    }
    out.flush();
    client.send("{\"end\":true}\n" + STATUS);
    assertThat(object(client.receive().get("result"))).containsEntry("done", "took 300000, sum 300000");
    assertThat(client.receive()).as("the next request").containsEntry("ok", true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"data\":\"!\"}", "{\"end\":false}", "nonsense", "{\"command\":\"status\"}"})
  void shouldEndAnUploadThatIsNone(String line) throws IOException {
    Client client = new Client().send("{\"command\":\"swallow\",\"most\":9}\n");
    assertThat(client.receive()).containsEntry("upload", true);
    client.send(line + "\n" + STATUS);
    assertThat(client.in.read()).as("gone").isEqualTo(-1);
  }

  @Test
  void shouldTellWhyAnUploadIsRefusedAndHearNoMore() throws IOException {
    Client client = new Client().send("{\"command\":\"swallow\",\"most\":2}\n");
    assertThat(client.receive()).containsEntry("upload", true);
    client.send("{\"data\":\"AAAAAAAA\"}\n" + STATUS);
    assertThat(error(client.receive())).isEqualTo("more than 2");
    assertThat(client.in.read()).as("gone").isEqualTo(-1);
  }

  @Test
  void shouldEndAnUploadThatStalls() throws IOException {
    Client client = new Client().send("{\"command\":\"swallow\",\"most\":2}\n");
    assertThat(client.receive()).containsEntry("upload", true);
    assertThat(client.in.read()).isEqualTo(-1);
  }

  @Test
  void shouldEndAnUploadThatDrips() throws IOException {
    Client client = occupied();
    long before = System.nanoTime();
    try {
      while (System.nanoTime() - before < 10_000_000_000L) {
        client.send(" ");
        LockSupport.parkNanos(50_000_000);
      }
    } catch (IOException e) {
      // ended
    }
    assertThat(System.nanoTime() - before).isLessThan(8_000_000_000L);
  }

  @Test
  void shouldEndADownloadThatNobodyTakes() throws IOException {
    Client client = new Client().send("{\"command\":\"noise\",\"bytes\":9000000000}\n");
    assertThat(new Client().send(STATUS).receive()).as("others wait, and are served").containsEntry("ok", true);
    client.channel.close();
  }

  @Test
  void shouldSendEventsToFollowers() throws IOException {
    Client first = new Client().send("{\"command\":\"events\",\"follow\":true}\n");
    Client second = new Client().send("{\"command\":\"events\",\"follow\":true}\n");
    for (Client client : List.of(first, second)) {
      assertThat(client.receive()).containsEntry("ok", true);
    }
    for (int i = 0; i < 200; i++) {
      fixture.events.onEvent(new Event.ServerDown("web", "rs" + i, "refused", ""));
    }
    for (Client client : List.of(first, second)) {
      for (int i = 0; i < 200; i++) {
        Map<String, Object> line = client.receive();
        assertThat(object(line.get("result"))).containsEntry("subject", "web/rs" + i);
        assertThat(line.get("missed")).isEqualTo(0L);
      }
    }
  }

  @Test
  void shouldCountWhatAFollowerMissed() throws Exception {
    Client client = new Client().send("{\"command\":\"events\",\"follow\":true}\n");
    assertThat(client.receive()).containsEntry("ok", true);
    int all = 20 * EventLog.CAPACITY;
    for (int i = 0; i < all; i++) {
      fixture.events.onEvent(new Event.ServerDown("web", "rs" + i, "refused", "x".repeat(200)));
    }
    long seen = 0;
    long missed = 0;
    while (seen + missed < all) {
      Map<String, Object> line = client.receive();
      seen++;
      missed += (Long) line.get("missed");
    }
    assertThat(seen + missed).isEqualTo(all);
  }

  @Test
  void shouldKeepAQuietFollower() throws Exception {
    Client client = new Client().send("{\"command\":\"events\",\"follow\":true}\n");
    assertThat(client.receive()).containsEntry("ok", true);
    Client silent = new Client();
    assertThat(silent.receive()).as("ended for its silence").isNull();
    fixture.events.onEvent(new Event.ServerUp("web", "rs1", "answered"));
    assertThat(object(client.receive().get("result"))).containsEntry("event", "ServerUp");
  }
}

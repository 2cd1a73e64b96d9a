package io.lb4j.examples.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.config.Configuration;
import io.lb4j.port.LastingPort;
import io.lb4j.port.MemoryPort;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The loop of {@code lb run} over a port in memory, from signal to signal. */
class LiveBalancerTest {
  private static final String TEXT =
      """
      interfaces: [{name: test0, mac: "02:00:00:00:00:01", addresses: [192.0.2.5/24]}]
      neighbors: {192.0.2.21: "02:00:00:00:00:21"}
      flow-table: {capacity: 64}
      announce: {enabled: false}
      services:
        - {name: web, vip: 192.0.2.10, port: 80, protocol: tcp, mode: dsr, monitor: none, servers: [SERVER]}
      """;
  private static final String GOOD = TEXT.replace("SERVER", "{name: rs1, address: 192.0.2.21}");

  @TempDir private Path directory;

  private final Signals signals = new Signals();
  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
  private final StringWriter printed = new StringWriter();
  private MemoryPort port = new MemoryPort("test0", MacAddress.of("02:00:00:00:00:01"), 1, 64);
  private Host host = Host.NONE;
  private Path file;
  private Path state;
  private LoadBalancer balancer;
  private Thread thread;

  @BeforeEach
  void open() throws Exception {
    file = Files.writeString(directory.resolve("lb.yaml"), GOOD);
    Configuration configuration = Configuration.load(file);
    balancer =
        configuration.build(
            configuration.builder()
                .announcements(configuration.announcements())
                .networkInterface("test0", options -> options.port(port).address("192.0.2.5/24")));
  }

  private LastingPort lasting() {
    return new LastingPort(port, () -> port);
  }

  private void run(Duration drainTimeout, String... first) throws InterruptedException {
    PrintWriter err = new PrintWriter(new Lines(), true);
    Configuration configuration;
    try {
      configuration = Configuration.load(file);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    LiveBalancer live = new LiveBalancer(balancer, configuration, host, List.of(lasting()), file, err);
    thread =
        new Thread(
            () -> {
              try {
                live.run(
                    new LiveBalancer.Run(Duration.ofHours(1), true, drainTimeout, Optional.ofNullable(state)),
                    signals,
                    new PrintWriter(printed));
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    thread.start();
    for (String words : first) {
      assertThat(next()).contains(words);
    }
    assertThat(next()).contains("balancing 1 services");
  }

  @AfterEach
  void close() throws InterruptedException {
    thread.interrupt();
    thread.join();
    balancer.close();
    assertThat(balancer.statistics().holds()).isTrue();
  }

  /** Hands over what is written line by line. */
  private final class Lines extends Writer {
    private final StringBuilder line = new StringBuilder();

    @Override
    public void write(char[] text, int from, int length) {
      for (int i = from; i < from + length; i++) {
        if (text[i] == '\n') {
          said.add(line.toString());
          line.setLength(0);
        } else {
          line.append(text[i]);
        }
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private String next() throws InterruptedException {
    String line = said.poll(20, TimeUnit.SECONDS);
    assertThat(line).as("nothing was said").isNotNull();
    return line;
  }

  private void reload(String text) throws IOException {
    Files.writeString(file, text);
    signals.raise("HUP");
  }

  private void end(String signal) throws InterruptedException {
    signals.raise(signal);
    thread.join(20_000);
    assertThat(thread.isAlive()).isFalse();
    assertThat(printed.toString()).contains("\"totals\":true").contains("\"law\":true");
  }

  @Test
  void shouldRefuseABrokenFileAsAWholeAndRunOn() throws Exception {
    run(Duration.ZERO);
    String broken = TEXT.replace("SERVER", "{name: rs1, address: 192.0.2.21, weight: -1}").replace("80", "8080");
    reload(broken + "echo: maybe\n");
    assertThat(next()).contains("is refused, what ran before runs on");
    assertThat(next()).contains(file + ":6: service web: server rs1: weight: -1: ", "choose a value", "[out-of-range]");
    assertThat(next()).contains(file + ":7: echo: ", "[not-readable]");
    reload(TEXT.replace("SERVER", "{name: rs1, address: 203.0.113.21}"));
    assertThat(next()).contains("is refused, what ran before runs on");
    assertThat(next()).contains(file + ":6: service web: server rs1: address: ", "[server-not-on-link]");
    assertThat(balancer.services()).isEqualTo(Configuration.parse("", GOOD).services());
    reload(GOOD);
    assertThat(next()).endsWith("lb.yaml: no changes");
    end("TERM");
  }

  @Test
  void shouldRunOnWhenTheHostCannotBeAsked() throws Exception {
    IOException[] failure = {new IOException("no files left")};
    host = asked -> {
      if (failure[0] != null) {
        throw new UncheckedIOException("the host's addresses", failure[0]);
      }
    };
    run(Duration.ZERO);
    reload(GOOD);
    assertThat(next()).endsWith("is refused, what ran before runs on: the host's addresses");
    failure[0] = null;
    reload(GOOD);
    assertThat(next()).endsWith("lb.yaml: no changes");
    end("TERM");
  }

  @Test
  void shouldTellWhatItDidAndWhatNeedsARestart() throws Exception {
    run(Duration.ZERO);
    reload(TEXT.replace("SERVER", "{name: rs1, address: 192.0.2.21, weight: 3}") + "echo: drop\n");
    assertThat(next()).endsWith("lb.yaml: left as they are until a restart: echo");
    assertThat(next()).endsWith("lb.yaml: service web: changed server rs1");
    assertThat(balancer.services()).flatExtracting(VirtualService::servers).extracting(s -> s.weight()).containsExactly(3);
    end("INT");
  }

  @Test
  void shouldTellWhatIsDoubtfulInAFileThatItApplies() throws Exception {
    run(Duration.ZERO);
    reload(TEXT.replace("SERVER", "{name: rs1, address: 192.0.2.21, weight: 0}"));
    assertThat(next()).endsWith("lb.yaml: service web: changed server rs1");
    assertThat(next()).contains(file + ":6: warning: service web: servers: weight 0").endsWith("[all-weights-zero]");
    assertThat(balancer.services()).flatExtracting(VirtualService::servers).extracting(s -> s.weight()).containsExactly(0);
    end("TERM");
  }

  private void send(int flags) {
    ByteBuf frame =
        FrameBuilder.from("192.0.2.77", "192.0.2.10").macs("02:00:00:00:00:01", "02:00:00:00:00:77")
            .tcp(40_000, 80, flags).build();
    assertThat(port.offer(0, frame, 0)).isTrue();
  }

  private void awaitFlows(int flows) {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (balancer.statistics().flowTable().size() != flows && System.nanoTime() - deadline < 0) {
      Thread.onSpinWait();
    }
    assertThat(balancer.statistics().flowTable().size()).isEqualTo(flows);
  }

  @Test
  void shouldEndADrainWithTheSecondSignal() throws Exception {
    run(Duration.ofHours(1));
    send(TcpHeader.SYN);
    awaitFlows(1);
    signals.raise("TERM");
    assertThat(next()).contains("draining for up to 3600 s");
    reload("nonsense");
    assertThat(thread.isAlive()).isTrue();
    end("TERM");
    assertThat(said).isEmpty();
  }

  @Test
  void shouldEndADrainWithoutFlowsAtOnce() throws Exception {
    run(Duration.ofHours(1));
    end("TERM");
    assertThat(next()).contains("draining");
  }

  @Test
  void shouldKeepFlowsFromOneRunToTheNext() throws Exception {
    state = directory.resolve("state");
    run(Duration.ZERO);
    send(TcpHeader.SYN);
    awaitFlows(1);
    end("TERM");
    assertThat(next()).isEqualTo("lb run: " + state + ": saved 1 flows, 0 clients");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(state))).isEqualTo("rw-------");
    port = new MemoryPort("test0", MacAddress.of("02:00:00:00:00:01"), 1, 64);
    open();
    run(Duration.ZERO, "restored 1 flows, 0 clients");
    assertThat(balancer.statistics().flowTable().size()).isEqualTo(1);
    assertThat(Files.exists(state)).as("used once").isFalse();
    end("TERM");
    assertThat(Files.exists(state)).isTrue();
  }

  @Test
  void shouldBeginWithoutStateThatIsDamagedOrOld() throws Exception {
    state = Files.writeString(directory.resolve("state"), "nonsense");
    run(Duration.ZERO, "0 flows and 0 clients were taken over");
    end("TERM");
    assertThat(next()).contains("saved 0 flows");
    Files.setLastModifiedTime(state, FileTime.from(Instant.now().minus(Duration.ofHours(9))));
    port = new MemoryPort("test0", MacAddress.of("02:00:00:00:00:01"), 1, 64);
    open();
    run(Duration.ZERO, "left alone, it is 9 h old");
    end("TERM");
  }

  @Test
  void shouldEndADrainWhenItsTimeIsOver() throws Exception {
    run(Duration.ofMillis(200));
    send(TcpHeader.SYN);
    awaitFlows(1);
    end("TERM");
  }
}

package io.lb4j.examples.control;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.CommandRun;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.live.RunningConfiguration;
import io.lb4j.port.MemoryPort;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A balancer that runs over a port in memory, with its control socket. Owned by one thread. */
final class RunningFixture implements AutoCloseable {
  /** What it is built from. */
  static final String TEXT =
      """
      interfaces:
        - name: test0
          mac: "02:00:00:00:00:01"
          addresses: [192.0.2.5/24, "2001:db8:1::5/64"]
      neighbors:
        192.0.2.21: "02:00:00:00:00:21"
        192.0.2.22: "02:00:00:00:00:22"
        "2001:db8:1::21": "02:00:00:00:00:21"
      services:
        - name: web
          vip: 192.0.2.10
          port: 80
          protocol: tcp
          mode: dsr
          scheduler: rr
          persistence: {timeout: 5m}
          monitor: none
          servers:
            - {name: rs1, address: 192.0.2.21}
            - {name: rs2, address: 192.0.2.22}
        - name: a/b
          vip: "2001:db8:1::10"
          port: 80
          protocol: tcp
          mode: dsr
          monitor: none
          servers:
            - {name: c/d, address: "2001:db8:1::21"}
      flow-table: {capacity: 16384}
      announce: {enabled: false}
      """;

  final Path directory;
  final Path socket;
  final LoadBalancer balancer;
  final RunningConfiguration running;
  final EventLog events = new EventLog();
  final ControlServer server;
  private final MemoryPort port = new MemoryPort("test0", MacAddress.of("02:00:00:00:00:01"), 1, 1024);

  RunningFixture(Duration patience) throws Exception {
    directory =
        Files.createTempDirectory("lb", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    socket = directory.resolve("lb.sock");
    Configuration configuration = Configuration.parse("test.yaml", TEXT);
    balancer =
        configuration.build(
            configuration.builder()
                .announcements(configuration.announcements())
                .networkInterface(
                    "test0", options -> options.port(port).address("192.0.2.5/24", "2001:db8:1::5/64")));
    running = new RunningConfiguration(balancer, configuration);
    balancer.addListener(events);
    balancer.start();
    Commands commands = Commands.of(running, events);
    commands.add("noise", RunningFixture::noise, "bytes");
    commands.add("swallow", RunningFixture::swallow, "most");
    AtomicLong answered = new AtomicLong();
    commands.add("number", (request, exchange) -> Reply.done(Long.toString(answered.incrementAndGet())));
    commands.add("exhaust", (request, exchange) -> {
      throw new OutOfMemoryError("as told");
    });
    commands.add("break", (request, exchange) -> {
      throw new AssertionError("as told");
    });
    server = new ControlServer(SocketFile.open(socket), commands, events, patience);
    server.start();
  }

  /** Sends so many bytes, each its position. */
  private static Reply noise(Request request, Exchange exchange) throws CommandException, IOException {
    long bytes = request.number("bytes", 0, Long.MAX_VALUE);
    OutputStream out = exchange.download();
    for (long i = 0; i < bytes; i++) {
      out.write((int) i);
    }
    out.flush();
    return Reply.done("sent " + bytes);
  }

  /** Takes so many bytes at most. */
  private static Reply swallow(Request request, Exchange exchange) throws CommandException, IOException {
    long most = request.number("most", 0, Long.MAX_VALUE);
    InputStream in = exchange.upload();
    long taken = 0;
    long sum = 0;
    for (int value = in.read(); value >= 0; value = in.read()) {
      taken++;
      sum += value;
      if (taken > most) {
        throw new CommandException("more than " + most);
      }
    }
    return Reply.done("took " + taken + ", sum " + sum);
  }

  CommandRun ctl(Object... args) {
    Object[] all = new Object[args.length + 3];
    all[0] = "ctl";
    all[1] = "--socket";
    all[2] = socket;
    System.arraycopy(args, 0, all, 3, args.length);
    return CommandRun.lb(all);
  }

  Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("new.yaml"), text);
  }

  /** Opens a connection of a client, and waits until the flow is there. */
  void connect(String client) {
    long before = balancer.statistics().flowTable().size();
    ByteBuf frame =
        FrameBuilder.from(client, "192.0.2.10").macs("02:00:00:00:00:01", "02:00:00:00:00:77")
            .tcp(40_000, 80, TcpHeader.SYN).build();
    port.offer(0, frame, 0);
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (balancer.statistics().flowTable().size() == before && System.nanoTime() - deadline < 0) {
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    balancer.close();
    if (!balancer.statistics().holds()) {
      throw new AssertionError(balancer.statistics());
    }
    Files.deleteIfExists(directory.resolve("new.yaml"));
    Files.delete(directory); // fails when the socket is still there
  }
}

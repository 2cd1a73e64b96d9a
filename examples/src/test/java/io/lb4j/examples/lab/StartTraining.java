package io.lb4j.examples.lab;

import io.lb4j.examples.CommandRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * One JVM that does what the JVMs of a lab do, so that {@link StartCache} can keep what they load: a balancer runs
 * beside {@code lb verify}, and clients ask servers over the loopback interface. In a network namespace of its own.
 */
final class StartTraining {
  private static final String INTERFACES =
      "set -e; ip link set lo up; ip link add eth0 type veth peer name peer; ip link set peer up; ip link set eth0 up; "
          + "ip addr add 192.0.2.5/24 dev eth0; ip addr add 2001:db8:5::5/64 dev eth0 nodad";
  private static final String LOOPBACK = "127.0.0.1";
  private static final String WEB = "80";
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private StartTraining() {}

  /** Its argument is an empty directory. */
  public static void main(String[] arguments) throws Exception {
    must("sh", "-c", INTERFACES);
    Path directory = Path.of(arguments[0]);
    Path file = directory.resolve("lb.yaml");
    Path socket = directory.resolve("lb.sock");
    Files.writeString(file, new BalancerConfiguration()
        .service("web", "tcp", 80, "rr", "", 1, 1)
        .service("dns", "udp", 7000, "wlc", "", 1)
        .text());
    Thread balancer = new Thread(() -> CommandRun.lb("run", file, "--json", "--control", socket));
    balancer.start();
    while (balancer.isAlive() && !Files.exists(socket)) {
      Lab.pause(20);
    }
    CommandRun.lb("demo", "--memory");
    askServer();
    CommandRun.lb("verify", file);
    CommandRun.lb("verify", file, "--json");
    must("kill", "-TERM", Long.toString(ProcessHandle.current().pid()));
    balancer.join();
    System.exit(0); // the server's threads go on
  }

  private static void askServer() throws Exception {
    LabServer.main(new String[] {"s1", "7000", "all", LOOPBACK});
    for (String what : List.of("await 5000", "connect 20", "load 2 20", "download", "udp 20 100")) {
      String[] words = what.split(" ", 2);
      String port = words[0].equals("udp") ? "7000" : WEB;
      String all = words[0] + " " + LOOPBACK + " " + port + " " + LOOPBACK + (words.length > 1 ? " " + words[1] : "");
      LabClient.main(all.split(" "));
    }
  }

  private static void must(String... command) {
    Outcome outcome = Outcome.of(LIMIT, List.of(command));
    if (!outcome.ok()) {
      throw new IllegalStateException(String.join(" ", command) + ": " + outcome.output());
    }
  }
}

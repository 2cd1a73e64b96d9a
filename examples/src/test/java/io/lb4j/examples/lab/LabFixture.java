package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.pcap.live.LiveIo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A lab with a balancer in it, for one test class. */
final class LabFixture implements AutoCloseable {
  static final String CLIENT4 = Lab.CLIENTS4.get(0);
  static final String CLIENT6 = Lab.CLIENTS6.get(0);

  /** What iperf3 carries: a thousand segments of the longest kind. Seconds of it would keep both processors busy. */
  static final String IPERF_BYTES = "64M";

  final Lab lab;
  Balancer balancer;

  private LabFixture(Lab lab) {
    this.lab = lab;
  }

  /** Builds a lab of direct server return, or skips the class and says why. */
  static LabFixture up(int servers, String... programs) {
    return up(LabTopology.DIRECT, servers, programs);
  }

  /** Builds the lab, or skips the class and says why. */
  static LabFixture up(LabTopology topology, int servers, String... programs) {
    return up(LabIo.chosen(), topology, servers, programs);
  }

  /** Builds the lab for a way of exchanging frames, or skips the class and says why. */
  static LabFixture up(LabIo io, LabTopology topology, int servers, String... programs) {
    return up(false, io, topology, servers, programs);
  }

  /**
   * Builds the lab for much traffic, or skips the class and says why: its balancers are compiled as users' are. With
   * little traffic they end before what the JVM compiles with the most effort pays.
   */
  static LabFixture bulk(LabIo io, LabTopology topology, int servers, String... programs) {
    return up(true, io, topology, servers, programs);
  }

  private static LabFixture up(boolean bulk, LabIo io, LabTopology topology, int servers, String... programs) {
    Lab.obstacle().ifPresent(reason -> Assumptions.abort(reason));
    for (String program : programs) {
      Assumptions.assumeTrue(Lab.installed(program), "the program '" + program + "' is missing");
    }
    LabProcess.startWith(Stream.concat(StartCache.use(), bulk ? Stream.empty() : Stream.of("-XX:TieredStopAtLevel=1")));
    return new LabFixture(Lab.up("lb4j-test", topology, io, servers));
  }

  /**
   * Skips a test that sends a signal where it would be lost: who was started to ignore it, as nohup and shells in the
   * background have it, starts others that ignore it.
   *
   * @param signal a name, without SIG
   */
  static void assumeNotIgnored(String signal) {
    Assumptions.assumeFalse(isIgnored(signal), () -> "SIG" + signal + " is ignored in this process, and so in all it starts");
  }

  /** Asks the kernel's mask of ignored signals, whose lowest bit is number 1. */
  private static boolean isIgnored(String signal) {
    int number = switch (signal) {
      case "HUP" -> 1;
      case "INT" -> 2;
      case "TERM" -> 15;
      default -> 9;
    };
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("SigIgn:"))
          .anyMatch(line -> (Long.parseUnsignedLong(line.split("\\s+")[1], 16) >>> number - 1 & 1) != 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts the balancer and waits until both virtual addresses answer on a port. */
  void balance(BalancerConfiguration configuration, int port) {
    balancer = Balancer.start(lab, configuration);
    awaitAnswers(port);
  }

  /** Both virtual addresses answer, by a balancer that exchanges frames as the lab does. */
  void awaitAnswers(int port) {
    for (String vip : List.of(lab.topology().vip4(), lab.topology().vip6())) {
      ClientReport seen = balancer.awaitAnswer(vip, port);
      assertTrue(seen.answered() > 0, () -> vip + ": " + seen.problem() + "\n" + balancer.output());
    }
    if (lab.io().io() != LiveIo.AUTO) {
      assertTrue(balancer.output().contains("eth0: io " + lab.io() + ": "), balancer::output);
    }
  }

  ClientReport client(String what, String vip, int port, List<String> sources, int... numbers) {
    return clientOn("cl", what, vip, port, sources, numbers);
  }

  ClientReport clientOn(String host, String what, String server, int port, List<String> sources, int... numbers) {
    return ClientReport.parse(
        lab.java(host, LabClient.class, arguments(what, server, port, sources, numbers)).output());
  }

  LabProcess spawnClient(String name, String vip, int port, List<String> sources, int connections) {
    return lab.spawnJava("cl", name, LabClient.class, arguments("hold", vip, port, sources, connections));
  }

  private static String[] arguments(String what, String vip, int port, List<String> sources, int... numbers) {
    List<String> arguments = new ArrayList<>(List.of(what, vip, Integer.toString(port), String.join(",", sources)));
    for (int number : numbers) {
      arguments.add(Integer.toString(number));
    }
    return arguments.toArray(String[]::new);
  }

  /** All answered, and every server saw the client's own address. */
  static ClientReport assertClean(ClientReport seen, int answers) {
    assertEquals("", seen.problem());
    assertEquals(answers, seen.answered(), seen::toString);
    assertEquals(0, seen.strangers(), seen::toString);
    return seen;
  }

  static List<String> sources(String vip) {
    return vip.contains(":") ? Lab.CLIENTS6 : Lab.CLIENTS4;
  }

  @Override
  public void close() {
    lab.close();
  }
}

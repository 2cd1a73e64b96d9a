package io.lb4j.examples.lab;

import java.time.Duration;
import java.util.List;

/**
 * What tcpdump saw at the balancer's interface of connections to a web service. Immutable, shared.
 *
 * @param requests frames to the virtual address, as they came and as they went on to a server
 * @param answers frames from the virtual address
 */
public record Passage(long requests, long answers) {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int SETTLE_MS = 300;

  /**
   * Looks while something is done.
   *
   * @param lab where
   * @param vip the virtual address
   * @param work what is done meanwhile
   * @return what passed
   * @throws IllegalStateException when tcpdump does not start
   */
  public static Passage during(Lab lab, String vip, Runnable work) {
    List<String> tap = lab.tap("lb", "eth0");
    LabProcess capture = lab.spawn(tap.get(0), "tcpdump", List.of("tcpdump", "-Z", "root", "-p", "-l", "-n", "-q",
        "--immediate-mode", "-i", tap.get(1), "tcp port 80"));
    if (!capture.awaitOutput("listening on", PATIENCE)) {
      throw new IllegalStateException("tcpdump did not start: " + capture.output());
    }
    work.run();
    Lab.pause(SETTLE_MS);
    capture.close();
    return new Passage(count(capture, " > " + vip + ".80:"), count(capture, " " + vip + ".80 > "));
  }

  private static long count(LabProcess capture, String part) {
    return capture.output().lines().filter(line -> line.contains(part)).count();
  }
}

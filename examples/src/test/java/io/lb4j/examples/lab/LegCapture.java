package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/** What tcpdump thinks of the checksums on several links while something is done. */
final class LegCapture {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int SETTLE_MS = 300;
  private static final Pattern BAD = Pattern.compile("incorrect|bad [a-z0-9 ]*cksum|wrong [a-z0-9 ]*cksum");
  private static final Pattern GOOD = Pattern.compile("\\(correct\\)|sum ok");

  private final Lab lab;
  private final Map<String, Path> files = new LinkedHashMap<>();
  private final List<LabProcess> captures = new ArrayList<>();

  private LegCapture(Lab lab) {
    this.lab = lab;
  }

  /** Runs the work; every leg must have seen packets, and none with a wrong checksum. */
  static void assertSound(Lab lab, List<String> legs, Runnable work) {
    Assumptions.assumeTrue(Lab.installed("tcpdump"), "the program 'tcpdump' is missing");
    LegCapture capture = new LegCapture(lab);
    capture.offloads(false);
    legs.forEach(leg -> capture.start(leg.split(" ")));
    work.run();
    Lab.pause(SETTLE_MS);
    capture.offloads(true);
    capture.captures.forEach(LabProcess::askToEnd);
    capture.captures.forEach(LabProcess::close);
    capture.files.forEach(capture::check);
  }

  /**
   * Where senders leave checksums to their devices, nothing between hosts without a wire is finished, and tcpdump could
   * judge none. So all senders finish theirs while legs are captured, and every checksum is checked.
   */
  private void offloads(boolean on) {
    if (lab.io().carriesOffloads()) {
      lab.offloads(on);
    }
  }

  private void start(String[] leg) {
    String name = leg[0] + "-" + leg[1];
    Path file = lab.directory().resolve(name + ".pcap");
    List<String> tap = lab.tap(leg[0], leg[1]);
    LabProcess process = lab.spawn(tap.get(0), "capture-" + name, List.of("tcpdump", "-Z", "root", "-p", "-n", "-U",
        "--immediate-mode", "-i", tap.get(1), "-w", file.toString(), "ip or ip6"));
    assertTrue(process.awaitOutput("listening on", PATIENCE), process::output);
    captures.add(process);
    files.put(name, file);
  }

  private void check(String leg, Path file) {
    String text = lab.must("cl", "tcpdump", "-n", "-vv", "-r", file.toString());
    List<String> bad = text.lines().filter(line -> BAD.matcher(line).find()).toList();
    assertTrue(bad.isEmpty(), () -> leg + ": " + bad.size() + " bad checksums, for example " + bad.get(0));
    assertTrue(GOOD.matcher(text).find(), () -> leg + " saw no packet with a checksum: " + text);
  }
}

package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/** What becomes of the checksums on several links while something is done. */
final class LegCapture {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration READING = Duration.ofSeconds(20);
  private static final int SETTLE_MS = 300;
  private static final Pattern BAD = Pattern.compile("incorrect|bad [a-z0-9 ]*cksum|wrong [a-z0-9 ]*cksum");
  private static final Pattern GOOD = Pattern.compile("\\(correct\\)|sum ok");

  private final Lab lab;
  private final Map<String, Path> files = new LinkedHashMap<>();
  private final List<LabProcess> captures = new ArrayList<>();

  private LegCapture(Lab lab) {
    this.lab = lab;
  }

  /**
   * Runs the work; every leg must have seen packets, and none with a wrong checksum. Where offloads are carried, it
   * runs twice. First with them: nothing between hosts without a wire is finished then, tcpdump could judge none, and
   * each checksum must be right or exactly what a device goes on from. Then all senders finish theirs, and all are
   * checked.
   */
  static void assertSound(Lab lab, List<String> legs, Runnable work) {
    Assumptions.assumeTrue(Lab.installed("tcpdump"), "the program 'tcpdump' is missing");
    if (!lab.io().carriesOffloads()) {
      captured(lab, legs, work).files.forEach(LegCapture::assertFinished);
      return;
    }
    captured(lab, legs, work).files.forEach(LegCapture::assertUnfinished);
    lab.offloads(false);
    try {
      captured(lab, legs, work).files.forEach(LegCapture::assertFinished);
    } finally {
      lab.offloads(true);
    }
  }

  private static LegCapture captured(Lab lab, List<String> legs, Runnable work) {
    LegCapture capture = new LegCapture(lab);
    legs.forEach(leg -> capture.start(leg.split(" ")));
    work.run();
    Lab.pause(SETTLE_MS);
    capture.captures.forEach(LabProcess::askToEnd);
    capture.captures.forEach(LabProcess::close);
    return capture;
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

  private static void assertUnfinished(String leg, Path file) {
    LegChecksums seen = LegChecksums.of(file);
    assertEquals(List.of(), seen.wrong(), leg);
    assertTrue(seen.unfinished() > 0, () -> leg + " saw no unfinished checksum, but " + seen.finished() + " others");
  }

  private static void assertFinished(String leg, Path file) {
    String text = Outcome.of(READING, List.of("tcpdump", "-n", "-vv", "-r", file.toString())).output();
    List<String> bad = text.lines().filter(line -> BAD.matcher(line).find()).toList();
    assertTrue(bad.isEmpty(), () -> leg + ": " + bad.size() + " bad checksums, for example " + bad.get(0));
    assertTrue(GOOD.matcher(text).find(), () -> leg + " saw no packet with a checksum: " + text);
  }
}

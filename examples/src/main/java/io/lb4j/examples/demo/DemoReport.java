package io.lb4j.examples.demo;

import java.io.PrintWriter;

/** Prints what the demonstration shows, and remembers what failed. Owned by one thread, but for {@link #silence}. */
final class DemoReport {
  private final PrintWriter out;
  private int failed;
  private int checks;
  private volatile boolean silent;

  DemoReport(PrintWriter out) {
    this.out = out;
  }

  void say(String line) {
    if (!silent) {
      out.println(line);
      out.flush();
    }
  }

  /** From now on nothing is printed: what fails while the network is taken away tells nothing. */
  void silence() {
    silent = true;
  }

  /** One line that begins with PASS or FAIL. */
  void check(boolean passed, String name, String detail) {
    checks++;
    failed += passed ? 0 : 1;
    say(String.format("%s  %-22s %s", passed ? "PASS" : "FAIL", name, detail));
  }

  /** The exit status: 1 when a check failed or there was none. */
  int end() {
    boolean good = checks > 0 && failed == 0;
    say(good ? "All " + checks + " checks passed." : failed + " of " + checks + " checks failed.");
    return good ? 0 : 1;
  }
}

package io.lb4j.examples.demo;

import io.lb4j.examples.lab.ClientReport;
import io.lb4j.examples.lab.Lab;
import io.lb4j.examples.lab.LabClient;
import java.util.Set;

/** Servers that start connections to a host outside: one is routed, one leaves from the pool. Owned by one thread. */
final class OutboundCheck {
  private static final int CONNECTIONS = 10;

  private final Lab lab;
  private final DemoReport report;

  OutboundCheck(Lab lab, DemoReport report) {
    this.lab = lab;
    this.report = report;
  }

  void run(String family, String outside, String routed, String translated, String pool) {
    check("routed " + family, "s1", outside, routed, routed);
    check("translated " + family, "s2", outside, translated, pool);
  }

  private void check(String name, String host, String outside, String source, String expected) {
    ClientReport seen = ClientReport.parse(lab.java(host, LabClient.class, "connect", outside, "80", source,
        Integer.toString(CONNECTIONS)).output());
    boolean answered = seen.answered() == CONNECTIONS && seen.failed() == 0;
    boolean good = answered && seen.seen().keySet().equals(Set.of(expected));
    report.check(good, name, good
        ? CONNECTIONS + " connections of " + host + " (" + source + ") to " + outside + ", which saw " + expected
        : seen.answered() + " of " + CONNECTIONS + " answered, seen as " + seen.seen() + " " + seen.problem());
  }
}

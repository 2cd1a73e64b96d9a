package io.lb4j.examples.demo;

import io.lb4j.examples.lab.Balancer;
import io.lb4j.examples.lab.ClientReport;
import io.lb4j.examples.lab.Lab;
import io.lb4j.examples.lab.LabClient;
import io.lb4j.examples.lab.Outcome;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** What every mode has to show on real traffic. Owned by one thread. */
final class LiveChecks {
  static final int SERVERS = 3;
  static final int WEB_PORT = 80;
  static final int UDP_PORT = 7000;

  private static final int CONNECTIONS = 60;

  private final DemoReport report;
  private final Lab lab;

  LiveChecks(DemoReport report, Lab lab) {
    this.report = report;
    this.lab = lab;
  }

  boolean answers(Balancer balancer) {
    ClientReport four = balancer.awaitAnswer(lab.topology().vip4(), WEB_PORT);
    ClientReport six = four.answered() == 0 ? four : balancer.awaitAnswer(lab.topology().vip6(), WEB_PORT);
    boolean answered = four.answered() > 0 && six.answered() > 0;
    report.check(answered, "virtual addresses", answered ? "both answer" : "no answer: " + six.problem());
    if (!answered) {
      report.say("The balancer printed:\n" + balancer.output());
    }
    return answered;
  }

  void family(String family, String vip, List<String> sources) {
    if (Lab.installed("curl")) {
      String url = "http://" + (vip.contains(":") ? "[" + vip + "]" : vip) + "/";
      Outcome curl = lab.exec("cl", "curl", "-s", "-g", "--max-time", "5", url);
      report.check(curl.ok(), "curl " + family, "$ curl " + url + "  ->  " + curl.output().strip());
    }
    String all = String.join(",", sources);
    spread("TCP " + family, ask("connect", vip, WEB_PORT, all));
    spread("UDP " + family, ask("udp", vip, UDP_PORT, all));
  }

  private ClientReport ask(String what, String vip, int port, String sources) {
    return ClientReport.parse(lab.java("cl", LabClient.class, what, vip, Integer.toString(port), sources,
        Integer.toString(CONNECTIONS), "32").output());
  }

  private void spread(String name, ClientReport seen) {
    boolean all = seen.failed() == 0 && seen.answered() == CONNECTIONS;
    report.check(all, name + " answers", seen.answered() + " of " + CONNECTIONS + " new connections"
        + (all ? "" : ": " + seen.problem()));
    report.check(all && seen.strangers() == 0, name + " client",
        "the servers saw the client's own address, for example \"" + seen.sample() + "\"");
    report.check(isEven(seen.servers()), name + " shares", "round robin: " + seen.shares());
  }

  private static boolean isEven(Map<String, Integer> servers) {
    return servers.size() == SERVERS
        && Collections.max(servers.values()) - Collections.min(servers.values()) <= 1;
  }

  void counters(Balancer balancer) {
    Map<String, Object> statistics = balancer.statistics();
    boolean whole = Boolean.TRUE.equals(statistics.get("law"));
    report.check(balancer.isAlive() && whole, "balancer's counters", "received " + statistics.get("received")
        + ", verdicts " + statistics.get("verdicts") + ", originated " + statistics.get("originated")
        + ", transmitted " + statistics.get("transmitted") + (whole ? ": they add up" : ": they do not add up"));
  }
}

package io.lb4j.examples.demo;

import io.lb4j.examples.lab.Balancer;
import io.lb4j.examples.lab.BalancerConfiguration;
import io.lb4j.examples.lab.ClientReport;
import io.lb4j.examples.lab.Lab;
import io.lb4j.examples.lab.LabClient;
import io.lb4j.examples.lab.Outcome;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Direct server return on real kernels: servers and clients in namespaces, {@code lb run} between them. */
final class LiveDemo {
  private static final int SERVERS = 3;
  private static final int CONNECTIONS = 60;
  private static final int WEB_PORT = 80;
  private static final int UDP_PORT = 7000;

  private final DemoReport report;

  LiveDemo(DemoReport report) {
    this.report = report;
  }

  void run() {
    try (Lab lab = Lab.up("lb4j-demo", SERVERS);
        Balancer balancer = Balancer.start(lab, configuration())) {
      describe(lab);
      if (answers(balancer)) {
        family(lab, "IPv4", Lab.VIP4, Lab.CLIENTS4);
        family(lab, "IPv6", Lab.VIP6, Lab.CLIENTS6);
        new BypassCheck(lab, report).run("IPv4", Lab.VIP4, Lab.CLIENTS4.get(0));
        new BypassCheck(lab, report).run("IPv6", Lab.VIP6, Lab.CLIENTS6.get(0));
        counters(balancer);
      } else {
        report.say("The balancer printed:\n" + balancer.output());
      }
    } catch (IllegalStateException | UncheckedIOException e) {
      report.check(false, "network", e.getMessage());
    }
  }

  private static BalancerConfiguration configuration() {
    return new BalancerConfiguration()
        .service("web", "tcp", WEB_PORT, "rr", "", 1, 1, 1)
        .service("echo", "udp", UDP_PORT, "rr", "", 1, 1, 1);
  }

  private void describe(Lab lab) {
    report.say("Direct server return on real traffic, in network namespaces " + lab.namespace("*"));
    report.say("  client 198.51.100.10, 2001:db8:c::10 -- router -- switch -- balancer 192.0.2.5, 2001:db8:5::5");
    report.say("                                                       \\-- servers s1 to s" + SERVERS
        + ": 192.0.2.11.., 2001:db8:5::11..");
    report.say("  virtual address " + Lab.VIP4 + ", " + Lab.VIP6
        + ": on the servers' lo, silent; not in the balancer's kernel");
    report.say("  web servers: "
        + (Lab.installed("nginx") ? "nginx" : "small ones in Java, since nginx is not installed"));
    report.say("  Offloads are off in these namespaces: veth hands packets over with unfinished checksums and several");
    report.say("  segments in one; taken by libpcap and sent again, such a frame would not arrive.");
  }

  private boolean answers(Balancer balancer) {
    ClientReport four = balancer.awaitAnswer(Lab.VIP4, WEB_PORT);
    ClientReport six = four.answered() == 0 ? four : balancer.awaitAnswer(Lab.VIP6, WEB_PORT);
    boolean answered = four.answered() > 0 && six.answered() > 0;
    report.check(answered, "virtual addresses", answered ? "both answer" : "no answer: " + six.problem());
    return answered;
  }

  private void family(Lab lab, String family, String vip, List<String> sources) {
    if (Lab.installed("curl")) {
      String url = "http://" + (vip.contains(":") ? "[" + vip + "]" : vip) + "/";
      Outcome curl = lab.exec("cl", "curl", "-s", "-g", "--max-time", "5", url);
      report.check(curl.ok(), "curl " + family, "$ curl " + url + "  ->  " + curl.output().strip());
    }
    String all = String.join(",", sources);
    spread("TCP " + family, ask(lab, "connect", vip, WEB_PORT, all));
    spread("UDP " + family, ask(lab, "udp", vip, UDP_PORT, all));
  }

  private static ClientReport ask(Lab lab, String what, String vip, int port, String sources) {
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

  private void counters(Balancer balancer) {
    Map<String, Object> statistics = balancer.statistics();
    boolean whole = Boolean.TRUE.equals(statistics.get("law"));
    report.check(balancer.isAlive() && whole, "balancer's counters", "received " + statistics.get("received")
        + ", verdicts " + statistics.get("verdicts") + ", originated " + statistics.get("originated")
        + ", transmitted " + statistics.get("transmitted") + (whole ? ": they add up" : ": they do not add up"));
  }
}

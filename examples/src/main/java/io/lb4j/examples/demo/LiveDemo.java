package io.lb4j.examples.demo;

import static io.lb4j.examples.demo.LiveChecks.SERVERS;

import io.lb4j.examples.lab.Balancer;
import io.lb4j.examples.lab.BalancerConfiguration;
import io.lb4j.examples.lab.Lab;
import io.lb4j.examples.lab.LabIo;
import io.lb4j.examples.lab.LabTopology;
import java.io.UncheckedIOException;

/** Both modes on real kernels: servers and clients in namespaces, {@code lb run} between them. */
final class LiveDemo {
  private final DemoReport report;

  LiveDemo(DemoReport report) {
    this.report = report;
  }

  void run() {
    report.say("Web servers: "
        + (Lab.installed("nginx") ? "nginx" : "small ones in Java, since nginx is not installed") + ".");
    LabIo io = LabIo.chosen();
    report.say("Frames are exchanged by io " + io + ", and offloads are "
        + (io.carriesOffloads() ? "on: nobody ran ethtool." : "off, because that carries none."));
    for (LabTopology topology : LabTopology.values()) {
      report.say("");
      try (Lab lab = Lab.up("lb4j-demo", topology, io, SERVERS);
          Balancer balancer = Balancer.start(lab, configuration(topology))) {
        run(lab, balancer);
      } catch (IllegalStateException | UncheckedIOException e) {
        report.check(false, "network", e.getMessage());
      }
    }
  }

  private static BalancerConfiguration configuration(LabTopology topology) {
    BalancerConfiguration configuration = new BalancerConfiguration(topology)
        .service("web", "tcp", LiveChecks.WEB_PORT, "rr", "", 1, 1, 1)
        .service("echo", "udp", LiveChecks.UDP_PORT, "rr", "", 1, 1, 1);
    return topology.isGateway() ? configuration.outbound() : configuration;
  }

  private void run(Lab lab, Balancer balancer) {
    LiveChecks checks = new LiveChecks(report, lab);
    LabTopology topology = lab.topology();
    switch (topology) {
      case DIRECT -> describeDirect(lab);
      case GATEWAY_DUAL, GATEWAY_SINGLE -> describeGateway(lab);
    }
    if (checks.answers(balancer)) {
      checks.family("IPv4", topology.vip4(), Lab.CLIENTS4);
      checks.family("IPv6", topology.vip6(), Lab.CLIENTS6);
      ReplyPathCheck path = new ReplyPathCheck(lab, report);
      path.run("IPv4", topology.vip4(), Lab.CLIENTS4.get(0));
      path.run("IPv6", topology.vip6(), Lab.CLIENTS6.get(0));
      if (topology.isGateway()) {
        OutboundCheck outbound = new OutboundCheck(lab, report);
        outbound.run("IPv4", Lab.OUTSIDE4, Lab.server4(1), Lab.server4(2), Lab.POOL4);
        outbound.run("IPv6", Lab.OUTSIDE6, Lab.server6(1), Lab.server6(2), Lab.POOL6);
      }
      checks.counters(balancer);
    }
  }

  private void describeDirect(Lab lab) {
    report.say("Direct server return on real traffic, in network namespaces " + lab.namespace("*"));
    report.say("  client 198.51.100.10, 2001:db8:c::10 -- router -- switch -- balancer 192.0.2.5, 2001:db8:5::5");
    report.say("                                                       \\-- servers s1 to s" + SERVERS
        + ": 192.0.2.11.., 2001:db8:5::11..");
    report.say("  virtual address " + Lab.VIP4 + ", " + Lab.VIP6
        + ": on the servers' lo, silent; not in the balancer's kernel");
  }

  private void describeGateway(Lab lab) {
    boolean dual = lab.topology() == LabTopology.GATEWAY_DUAL;
    report.say("Gateway, " + (dual ? "dual arm (two interfaces)" : "single arm (one interface)")
        + ", on real traffic, in network namespaces " + lab.namespace("*"));
    report.say("  client 198.51.100.10, 2001:db8:c::10 --+-- 198.51.100.5 balancer 192.0.2.5 -- servers s1 to s"
        + SERVERS + ": 192.0.2.11..");
    report.say("  host out 203.0.113.10 ------- router --+   2001:db8:c::5      2001:db8:5::5           "
        + "2001:db8:5::11..");
    report.say("  virtual address " + lab.topology().vip4() + ", " + lab.topology().vip6()
        + ": nobody's but the balancer's, which is the servers' default gateway");
    report.say("  outbound: s1 keeps its address, the others leave from " + Lab.POOL4 + ", " + Lab.POOL6);
  }
}

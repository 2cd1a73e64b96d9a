package io.lb4j.examples;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.pcap.live.LivePorts;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import java.time.Duration;

/** A first program: one virtual service on eth0 by Direct Server Return, for a minute. */
public final class FirstBalancer {
  private FirstBalancer() {}

  /**
   * Balances, then takes a server out of service.
   *
   * @param args the interface; eth0 without
   * @throws InterruptedException never, unless the thread is interrupted
   */
  public static void main(String[] args) throws InterruptedException {
    String eth0 = args.length > 0 ? args[0] : "eth0";
    try (LoadBalancer lb = LoadBalancer.builder()
        .port(eth0, LivePorts.of(eth0).open().port())
        .service(VirtualService.tcp("192.0.2.10", 80).named("web")
            .forwarding(DirectServerReturn.create())
            .scheduler(Schedulers.weightedLeastConnections())
            .persistence(SourceIpPersistence.timeout(Duration.ofMinutes(5)))
            .realServer("rs1", "192.0.2.21", s -> s.weight(2))
            .realServer("rs2", "192.0.2.22"))
        .build()) {
      lb.start();
      Thread.sleep(Duration.ofSeconds(30).toMillis());
      lb.service("web").realServer("rs2").drain(); // no new flows; established ones continue
      Thread.sleep(Duration.ofSeconds(30).toMillis());
      System.out.println(lb.statistics().verdicts());
    }
  }
}

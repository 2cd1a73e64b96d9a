package io.lb4j.examples.lab;

import io.lb4j.address.IpAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.FrameProber;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.live.LivePort;
import io.lb4j.pcap.live.LivePorts;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/**
 * A balancer of the lab, run as a process of its own in the namespace {@code lb}: probes servers with frames, tells
 * what it found, and ends.
 */
public final class LabProber {
  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  private LabProber() {}

  /**
   * Probes.
   *
   * @param arguments how to exchange frames, for example {@code xdp}; then probes, each {@code ping,SERVER}, {@code
   *     tcp,VIP,PORT,SERVER} or {@code udp,VIP,PORT,SERVER}
   * @throws InterruptedException when it is interrupted
   */
  public static void main(String[] arguments) throws InterruptedException {
    LiveIo io = LiveIo.valueOf(arguments[0].toUpperCase(Locale.ROOT));
    List<String> probes = List.of(arguments).subList(1, arguments.length);
    LivePort live = LivePorts.of("eth0").io(io).open();
    System.out.println(live.choice());
    LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(live.port()).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .route("0.0.0.0/0", "192.0.2.1")
            .route("::/0", "2001:db8:5::1")
            .announcements(claimedAtOnce())
            .service(web(Lab.VIP4, Lab.server4(1)))
            .service(web(Lab.VIP6, Lab.server6(1)))
            .build();
    balancer.start();
    CountDownLatch open = new CountDownLatch(probes.size());
    for (String probe : probes) {
      ask(balancer.frameProber(), probe.split(","), result -> {
        System.out.println(probe + " " + result.reason() + " " + result.elapsedNs() / 1_000 + " " + result.detail());
        open.countDown();
      });
    }
    open.await();
    Thread.sleep(100); // what is still on its way
    balancer.close();
    Statistics end = balancer.statistics();
    boolean law = end.holds() && end.allSent();
    System.out.println("law " + law + " forwarded " + end.count(Verdict.FORWARD) + " " + end.verdicts());
  }

  private static AnnouncementSettings claimedAtOnce() {
    Duration second = Duration.ofSeconds(1);
    return AnnouncementSettings.builder()
        .probeWait(Duration.ZERO)
        .arpProbes(0, second, second, Duration.ZERO)
        .duplicateAddressProbes(0, second)
        .build();
  }

  private static VirtualServiceBuilder web(String vip, String server) {
    return VirtualService.tcp(vip, 80)
        .named("web " + vip)
        .forwarding(DirectServerReturn.create())
        .realServer("s1", server);
  }

  private static void ask(FrameProber prober, String[] probe, Consumer<ProbeResult> done) {
    if (probe[0].equals("ping")) {
      prober.ping(IpAddress.of(probe[1]), TIMEOUT, done);
    } else {
      IpAddress vip = IpAddress.of(probe[1]);
      boolean tcp = probe[0].equals("tcp");
      prober.direct(vip, Integer.parseInt(probe[2]), tcp, IpAddress.of(probe[3]), TIMEOUT, done);
    }
  }
}

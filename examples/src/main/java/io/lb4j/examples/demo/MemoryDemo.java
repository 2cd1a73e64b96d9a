package io.lb4j.examples.demo;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dataplane.DataPath;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.netty.buffer.ByteBuf;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** The scenario without a network: frames made here, through the data path, and what came out. */
final class MemoryDemo {
  private static final int SERVERS = 3;
  private static final int CLIENTS = 60;
  private static final long START_NS = 1_000_000_000;
  private static final MacAddress BALANCER = mac(5);
  private static final MacAddress ROUTER = mac(1);

  private final DemoReport report;
  private long nowNs = START_NS;

  MemoryDemo(DemoReport report) {
    this.report = report;
  }

  void run(String reason) {
    report.say("Direct server return through memory, because " + reason + ".");
    report.say("  Clients' first packets are made here and go through the data path; 3 servers, round robin.");
    try (LoadBalancer balancer = balancer()) {
      DataPath path = balancer.dataPath();
      scenario(path, "TCP IPv4", Protocol.TCP, "192.0.2.100", "198.51.100.");
      scenario(path, "TCP IPv6", Protocol.TCP, "2001:db8:5::100", "2001:db8:c::");
      scenario(path, "UDP IPv4", Protocol.UDP, "192.0.2.100", "198.51.100.");
      scenario(path, "UDP IPv6", Protocol.UDP, "2001:db8:5::100", "2001:db8:c::");
      report.check(balancer.statistics().holds(), "counters", balancer.statistics().verdicts() + " of "
          + balancer.statistics().received() + " frames received");
    }
    new GatewayMemoryDemo(report, true).run();
    new GatewayMemoryDemo(report, false).run();
    report.say("Not shown: kernels that accept such frames, that answers of direct server return bypass the balancer,"
        + " address resolution. That takes Linux, root, ip and ethtool.");
  }

  private LoadBalancer balancer() {
    LoadBalancerBuilder builder = LoadBalancer.builder()
        .networkInterface("eth0", options ->
            options.mac(BALANCER).address("192.0.2.5/24", "2001:db8:5::5/64").mtu(1500))
        .announcements(AnnouncementSettings.off())
        .seed(1)
        .clock(() -> nowNs)
        .service(service("web4", Protocol.TCP, 80, "192.0.2.100", "192.0.2.1"))
        .service(service("web6", Protocol.TCP, 80, "2001:db8:5::100", "2001:db8:5::1"))
        .service(service("echo4", Protocol.UDP, 80, "192.0.2.100", "192.0.2.1"))
        .service(service("echo6", Protocol.UDP, 80, "2001:db8:5::100", "2001:db8:5::1"));
    for (int i = 1; i <= SERVERS; i++) {
      String mac = mac(10 + i).toString();
      builder.neighbor("192.0.2.1" + i, mac).neighbor("2001:db8:5::1" + i, mac);
    }
    return builder.build();
  }

  private static VirtualServiceBuilder service(String name, Protocol protocol, int port, String vip, String stem) {
    VirtualServiceBuilder service = VirtualService.of(protocol, PortRange.of(Integer.toString(port)))
        .named(name)
        .vip(vip)
        .forwarding(DirectServerReturn.create())
        .scheduler(Schedulers.roundRobin());
    for (int i = 1; i <= SERVERS; i++) {
      service.realServer("s" + i, stem + i);
    }
    return service;
  }

  private static MacAddress mac(int last) {
    return MacAddress.of(String.format("02:00:00:00:00:%02d", last));
  }

  private void scenario(DataPath path, String name, Protocol protocol, String vip, String clients) {
    Map<String, Integer> shares = new TreeMap<>();
    Map<Verdict, Integer> verdicts = new TreeMap<>();
    int untouched = 0;
    int addressed = 0;
    for (int i = 0; i < CLIENTS; i++) {
      IpAddress client = IpAddress.of(clients + (10 + i));
      ByteBuf frame = ClientFrame.of(ROUTER, BALANCER, client, 40_000 + i, IpAddress.of(vip), 80, protocol);
      ByteBuf before = frame.copy();
      verdicts.merge(process(path, frame), 1, Integer::sum);
      String server = path.serverName(path.last().binding()).orElse("nobody");
      shares.merge(server.substring(server.indexOf('/') + 1), 1, Integer::sum);
      untouched += frame.slice(12, frame.readableBytes() - 12).equals(before.slice(12, frame.readableBytes() - 12))
          ? 1 : 0;
      addressed += isAddressedTo(frame, server) ? 1 : 0;
      frame.release();
      before.release();
    }
    report.check(verdicts.getOrDefault(Verdict.FORWARD, 0) == CLIENTS, name + " verdicts", verdicts.toString());
    report.check(untouched == CLIENTS && addressed == CLIENTS, name + " bytes", addressed
        + " of " + CLIENTS + " carry the server's and the balancer's MAC in bytes 0-11, " + untouched
        + " are the same from byte 12 on");
    report.check(shares.size() == SERVERS && Collections.max(shares.values()) - Collections.min(shares.values()) <= 1,
        name + " shares", "round robin: " + shares);
  }

  private Verdict process(DataPath path, ByteBuf frame) {
    nowNs += 1_000_000;
    return path.process(0, frame, nowNs, (index, originated, marks) -> originated.release());
  }

  private static boolean isAddressedTo(ByteBuf frame, String server) {
    if (server.equals("nobody")) {
      return false;
    }
    MacAddress expected = mac(10 + Character.digit(server.charAt(server.length() - 1), 10));
    return frame.getUnsignedShort(0) == expected.value() >> 32
        && frame.getUnsignedInt(2) == (expected.value() & 0xFFFF_FFFFL)
        && frame.getUnsignedShort(6) == BALANCER.value() >> 32
        && frame.getUnsignedInt(8) == (BALANCER.value() & 0xFFFF_FFFFL);
  }
}

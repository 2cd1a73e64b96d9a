package io.lb4j.examples.demo;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
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

/** The gateway without a network: first packets and their answers, made here, through the data path. */
final class GatewayMemoryDemo {
  private static final int SERVERS = 3;
  private static final int CLIENTS = 60;
  private static final int PORT = 80;
  private static final int OUTSIDE_PORT = 53;
  private static final long START_NS = 1_000_000_000;
  private static final MacAddress CLIENT_SIDE = mac(4);
  private static final MacAddress SERVER_SIDE = mac(5);
  private static final MacAddress ROUTER = mac(1);

  private final DemoReport report;
  private final boolean dual;
  private final String arms;
  private long nowNs = START_NS;

  /** A family's addresses. */
  private record Family(String name, String vip, String servers, String clients, String outside, String pool) {
    private static final Family IPV4 =
        new Family("IPv4", "198.51.100.100", "192.0.2.1", "203.0.113.1", "203.0.113.10", "198.51.100.200");
    private static final Family IPV6 =
        new Family("IPv6", "2001:db8:c::100", "2001:db8:5::1", "2001:db8:f::1", "2001:db8:f::10", "2001:db8:c::200");
  }

  GatewayMemoryDemo(DemoReport report, boolean dual) {
    this.report = report;
    this.dual = dual;
    this.arms = dual ? "dual arm" : "single arm";
  }

  void run() {
    report.say("");
    report.say("Gateway, " + arms + ", through memory: clients behind a router, 3 servers, round robin.");
    try (LoadBalancer balancer = balancer()) {
      DataPath path = balancer.dataPath();
      for (Family family : new Family[] {Family.IPV4, Family.IPV6}) {
        requests(path, family, Protocol.TCP);
        requests(path, family, Protocol.UDP);
        outbound(path, family);
      }
      report.check(balancer.statistics().holds(), "counters", balancer.statistics().verdicts() + " of "
          + balancer.statistics().received() + " frames received");
    }
  }

  private LoadBalancer balancer() {
    LoadBalancerBuilder builder = LoadBalancer.builder()
        .networkInterface("eth0", options -> options
            .mac(dual ? CLIENT_SIDE : SERVER_SIDE)
            .address(dual
                ? new String[] {"198.51.100.5/24", "2001:db8:c::5/64"}
                : new String[] {"198.51.100.5/24", "2001:db8:c::5/64", "192.0.2.5/24", "2001:db8:5::5/64"})
            .mtu(1500))
        .route("0.0.0.0/0", "198.51.100.1")
        .route("::/0", "2001:db8:c::1")
        .neighbor("198.51.100.1", ROUTER.toString())
        .neighbor("2001:db8:c::1", ROUTER.toString())
        .announcements(AnnouncementSettings.off())
        .outbound(Outbound.builder()
            .nat("192.0.2.0/24", Family.IPV4.pool())
            .nat("2001:db8:5::/64", Family.IPV6.pool())
            .build())
        .seed(1)
        .clock(() -> nowNs);
    if (dual) {
      builder.networkInterface(
          "eth1", options -> options.mac(SERVER_SIDE).address("192.0.2.5/24", "2001:db8:5::5/64").mtu(1500));
    }
    for (Family family : new Family[] {Family.IPV4, Family.IPV6}) {
      builder.service(service("web" + family.name(), Protocol.TCP, family));
      builder.service(service("echo" + family.name(), Protocol.UDP, family));
      for (int i = 1; i <= SERVERS; i++) {
        builder.neighbor(family.servers() + i, mac(10 + i).toString());
      }
    }
    return builder.build();
  }

  private static VirtualServiceBuilder service(String name, Protocol protocol, Family family) {
    VirtualServiceBuilder service = VirtualService.of(protocol, PortRange.of(PORT))
        .named(name)
        .vip(family.vip())
        .forwarding(Gateway.create())
        .scheduler(Schedulers.roundRobin());
    for (int i = 1; i <= SERVERS; i++) {
      service.realServer("s" + i, family.servers() + i);
    }
    return service;
  }

  private static MacAddress mac(int last) {
    return MacAddress.of(String.format("02:00:00:00:00:%02d", last));
  }

  private int serverSide() {
    return dual ? 1 : 0;
  }

  private MacAddress clientSideMac() {
    return dual ? CLIENT_SIDE : SERVER_SIDE;
  }

  /** Requests of many clients, each with its answer. */
  private void requests(DataPath path, Family family, Protocol protocol) {
    String name = protocol + " " + family.name();
    Map<String, Integer> shares = new TreeMap<>();
    int requests = 0;
    int answers = 0;
    for (int i = 0; i < CLIENTS; i++) {
      IpAddress client = IpAddress.of(family.clients() + (10 + i));
      ByteBuf frame =
          ClientFrame.of(ROUTER, clientSideMac(), client, 40_000 + i, IpAddress.of(family.vip()), PORT, protocol);
      Verdict verdict = process(path, 0, frame);
      String server = path.serverName(path.last().binding()).orElse("nobody");
      shares.merge(server.substring(server.indexOf('/') + 1), 1, Integer::sum);
      boolean arrived = verdict == Verdict.FORWARD && isRequest(path, frame, family, client, server);
      requests += arrived ? 1 : 0;
      answers += arrived && isAnswered(path, frame, family, protocol) ? 1 : 0;
      frame.release();
    }
    report.check(requests == CLIENTS, name + " requests", requests + " of " + CLIENTS + " reach a server of "
        + family.servers() + "1.., with the client's own address, TTL - 1 and right checksums");
    report.check(answers == CLIENTS, name + " replies", answers + " of " + CLIENTS
        + " pass the balancer again and come from " + family.vip() + ", with right checksums");
    report.check(shares.size() == SERVERS && Collections.max(shares.values()) - Collections.min(shares.values()) <= 1,
        name + " shares", "round robin: " + shares);
  }

  private boolean isRequest(DataPath path, ByteBuf frame, Family family, IpAddress client, String server) {
    IpAddress expected = IpAddress.of(family.servers() + server.charAt(server.length() - 1));
    return path.last().egress() == serverSide()
        && ClientFrame.source(frame).equals(client)
        && ClientFrame.destination(frame).equals(expected)
        && ClientFrame.timeToLive(frame) == ClientFrame.TTL - 1
        && ClientFrame.isSound(frame);
  }

  /** Answers a request that arrived; what comes out must be the virtual address's. */
  private boolean isAnswered(DataPath path, ByteBuf request, Family family, Protocol protocol) {
    IpAddress client = ClientFrame.source(request);
    int clientPort = ClientFrame.sourcePort(request);
    ByteBuf answer = ClientFrame.answer(mac(11), SERVER_SIDE, ClientFrame.destination(request),
        ClientFrame.destinationPort(request), client, clientPort, protocol);
    try {
      return process(path, serverSide(), answer) == Verdict.FORWARD
          && path.last().egress() == 0
          && ClientFrame.source(answer).equals(IpAddress.of(family.vip()))
          && ClientFrame.sourcePort(answer) == PORT
          && ClientFrame.destination(answer).equals(client)
          && ClientFrame.destinationPort(answer) == clientPort
          && ClientFrame.isSound(answer);
    } finally {
      answer.release();
    }
  }

  /** A server asks somebody outside, who sees the pool's address and answers that. */
  private void outbound(DataPath path, Family family) {
    IpAddress server = IpAddress.of(family.servers() + 2);
    IpAddress outside = IpAddress.of(family.outside());
    ByteBuf query = ClientFrame.of(mac(12), SERVER_SIDE, server, 5353, outside, OUTSIDE_PORT, Protocol.UDP);
    boolean out = process(path, serverSide(), query) == Verdict.FORWARD
        && ClientFrame.source(query).equals(IpAddress.of(family.pool()))
        && ClientFrame.destination(query).equals(outside)
        && ClientFrame.isSound(query);
    int port = ClientFrame.sourcePort(query);
    ByteBuf answer = ClientFrame.answer(ROUTER, clientSideMac(), outside, OUTSIDE_PORT, IpAddress.of(family.pool()),
        port, Protocol.UDP);
    boolean back = process(path, 0, answer) == Verdict.FORWARD
        && ClientFrame.destination(answer).equals(server)
        && ClientFrame.destinationPort(answer) == 5353
        && ClientFrame.isSound(answer);
    report.check(out && back, "outbound " + family.name(), server + " port 5353 is seen as " + ClientFrame.source(query)
        + " port " + port + " by " + outside + ", whose answer goes to " + ClientFrame.destination(answer));
    query.release();
    answer.release();
  }

  private Verdict process(DataPath path, int link, ByteBuf frame) {
    nowNs += 1_000_000;
    return path.process(link, frame, nowNs, (index, originated, marks) -> originated.release());
  }
}

package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowTable;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;

/**
 * Counts of active flows equal a recount of the tables after thousands of changes of every kind, mixed with traffic
 * that opens, closes, resets, revives and forgets (SC3, SC16, CT14). {@code -Dlb4j.changes=10000} for the whole row.
 */
class RecountTest {
  private static final int CHANGES = Integer.getInteger("lb4j.changes", 2_000);
  private static final int SERVERS = 5;

  private static final List<Scheduler> SCHEDULERS =
      List.of(
          Schedulers.leastConnections(),
          Schedulers.weightedLeastConnections(),
          Schedulers.roundRobin(),
          Schedulers.powerOfTwoChoices(),
          Schedulers.sourceHash());

  private final Random random = new Random(3);

  private VirtualServiceBuilder service(boolean v6, boolean tcp) {
    String vip = Network.vip(v6);
    VirtualServiceBuilder service =
        tcp ? VirtualService.tcp(vip, 80).named("web") : VirtualService.udp(vip, 53).named("dns");
    service.forwarding(Gateway.create()).overflow(Overflow.DROP);
    for (int n = 1; n <= 3; n++) {
      service.realServer("s" + n, Network.inside(v6, n));
    }
    return service;
  }

  @BothFamilies
  void shouldCountWhatIsThere(boolean v6) {
    int refused = 0;
    try (Network net =
        Network.options(v6)
            .hosts(SERVERS)
            .sessions(512)
            .nat(b -> b)
            .service(service(v6, true))
            .service(service(v6, false))
            .open()) {
      for (int change = 1; change <= CHANGES; change++) {
        for (int n = random.nextInt(6); n > 0; n--) {
          refused += packet(net) == Verdict.CONNECTION_LIMIT ? 1 : 0;
        }
        change(net, random.nextBoolean() ? "web" : "dns");
        net.nowNs += random.nextInt(200) * 1_000_000L;
        net.path.tick(net.nowNs, (link, frame, marks) -> frame.release());
        if (change % 25 == 0) {
          sweep(net);
          new Recount(net.balancer).assertEqualsCounts("IPv6 " + v6 + ", change " + change);
        }
      }
      assertThat(refused).as("limits were reached").isGreaterThan(CHANGES / 100);
    }
  }

  /** Lists leave out flows whose time is over, and counts have them until the sweep comes by: let it come by all. */
  private static void sweep(Network net) {
    FlowTable flows = net.path.flows();
    flows.sweep(net.nowNs, flows.buckets());
    flows.sweep(net.nowNs, flows.buckets());
  }

  private Verdict packet(Network net) {
    FrameBuilder frame = net.to(net.vip(), net.peer(1 + random.nextInt(20)));
    int port = 4000 + random.nextInt(12);
    if (random.nextInt(3) == 0) {
      return net.fromOutside(frame.udp(port, 53)).verdict();
    }
    int[] kinds = {
      TcpHeader.SYN,
      TcpHeader.SYN,
      TcpHeader.ACK,
      TcpHeader.ACK,
      TcpHeader.FIN | TcpHeader.ACK,
      TcpHeader.RST,
      TcpHeader.ACK | TcpHeader.PSH
    };
    int flags = kinds[random.nextInt(kinds.length)];
    int sequence = 1 + random.nextInt(3);
    if (random.nextInt(4) == 0) {
      return reply(net, port);
    }
    return net.fromOutside(frame.tcp(port, 80, flags).numbers(sequence, flags == TcpHeader.SYN ? 0 : 7001)).verdict();
  }

  /** Something that one of the servers says, of a session or of none. */
  private Verdict reply(Network net, int port) {
    int[] kinds = {TcpHeader.SYN | TcpHeader.ACK, TcpHeader.FIN | TcpHeader.ACK, TcpHeader.RST | TcpHeader.ACK};
    FrameBuilder frame = net.from(1 + random.nextInt(SERVERS), net.peer(1 + random.nextInt(20)));
    int flags = kinds[random.nextInt(kinds.length)];
    return net.fromInside(frame.tcp(80, port, flags).numbers(7000 + random.nextInt(2), 2)).verdict();
  }

  private void change(Network net, String name) {
    VirtualService declared = net.balancer.service(name).declaration();
    switch (random.nextInt(10)) {
      case 0, 1 -> server(net, declared, server -> server.withWeight(random.nextInt(4)));
      case 2 -> server(net, declared, server -> server.withActivity(any(List.of(Activity.values()))));
      case 3 -> addOrRemove(net, declared);
      case 4 -> replace(net, declared.toBuilder().scheduler(any(SCHEDULERS)));
      case 5 -> replace(net, declared.toBuilder().forwarding(method()));
      case 6 -> replace(net, declared.toBuilder().maxConnections(limit(40), any(List.of(Overflow.values()))));
      case 7 -> server(net, declared, server -> withLimit(server, limit(15)));
      case 8 -> report(net, declared);
      default ->
          replace(
              net,
              declared.toBuilder()
                  .enabled(random.nextInt(5) > 0)
                  .persistence(random.nextBoolean() ? SourceIpPersistence.create() : null)
                  .whenServerDown(fates(true))
                  .whenServerRemoved(fates(false)));
    }
  }

  private ForwardingMethod method() {
    return random.nextBoolean() ? new DirectRouting() : Gateway.create();
  }

  private ConnectionLimit limit(int most) {
    int limit = random.nextInt(most);
    return limit == 0 ? ConnectionLimit.NONE : new ConnectionLimit(limit, random.nextInt(limit));
  }

  private LostFlows fates(boolean mayKeep) {
    LostFlows.Fate[] all = LostFlows.Fate.values();
    int first = mayKeep ? 0 : 1;
    return new LostFlows(
        all[first + random.nextInt(all.length - first)], all[first + random.nextInt(all.length - first)]);
  }

  private static RealServer withLimit(RealServer server, ConnectionLimit limit) {
    return new RealServer.Options()
        .weight(server.weight())
        .activity(server.activity())
        .tier(server.tier())
        .limit(limit)
        .build(server.name(), server.address());
  }

  private void server(Network net, VirtualService declared, UnaryOperator<RealServer> change) {
    if (!declared.servers().isEmpty()) {
      replace(net, declared.withServer(any(declared.servers()).name(), change).toBuilder());
    }
  }

  private void addOrRemove(Network net, VirtualService declared) {
    List<RealServer> servers = new ArrayList<>(declared.servers());
    int n = 1 + random.nextInt(SERVERS);
    if (!servers.removeIf(server -> server.name().equals("s" + n))) {
      servers.add(random.nextInt(servers.size() + 1), added(net, n));
    }
    replace(net, declared.toBuilder().realServers(servers));
  }

  private static RealServer added(Network net, int n) {
    return new RealServer.Options().build("s" + n, IpAddress.of(net.inside(n)));
  }

  private void report(Network net, VirtualService declared) {
    if (!declared.servers().isEmpty()) {
      String server = any(declared.servers()).name();
      net.balancer.service(declared.name()).realServer(server).report(any(List.of(Health.UP, Health.UP, Health.DOWN)));
    }
  }

  private static void replace(Network net, VirtualServiceBuilder service) {
    try {
      net.balancer.replaceService(service.build());
    } catch (ConfigurationException e) {
      throw new AssertionError("every change is a good one", e);
    }
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}

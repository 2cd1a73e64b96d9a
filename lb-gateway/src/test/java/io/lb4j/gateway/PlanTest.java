package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.frame.Verdict;
import io.lb4j.service.FlowEffect;
import io.lb4j.service.Health;
import io.lb4j.service.Plan;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.ServiceChange;
import io.lb4j.service.ServiceChange.Kind;
import io.lb4j.service.ServiceChange.ServerChange;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a plan says is what happens: over random pairs of configurations, with flows of both protocols and methods, some
 * servers down. Each pair runs twice; one of the two is not changed, so that what would have happened anyway is known.
 */
@Tag("one-jdk")
class PlanTest {
  private static final int FLOWS = 24;

  /** A client's flow: where it goes, and which server it has. */
  private record Flow(int client, int port, boolean tcp, String vip, int vipPort, String service, String server) {}

  /** One network with its flows. */
  private static final class Scene implements AutoCloseable {
    private final Network net;
    private final List<Flow> flows = new ArrayList<>();

    Scene(boolean v6, List<VirtualService> services, UnservedPolicy unserved, long seed) {
      Network.Options options =
          Network.options(v6)
              .sessions(256)
              .hosts(RandomServices.SERVERS)
              .nat(b -> b)
              .with(b -> b.unserved(unserved));
      services.forEach(service -> options.service(service.toBuilder()));
      net = options.open();
      Random random = new Random(seed);
      report(services, random);
      open(services, v6, random);
      report(services, random);
    }

    /** Some servers are down, none for long. */
    private void report(List<VirtualService> services, Random random) {
      for (VirtualService service : services) {
        for (RealServer server : service.servers()) {
          Health health = random.nextInt(4) == 0 ? Health.DOWN : Health.UP;
          net.balancer.service(service.name()).realServer(server.name()).report(health);
        }
      }
    }

    private void open(List<VirtualService> services, boolean v6, Random random) {
      if (services.isEmpty()) {
        return;
      }
      RandomServices places = new RandomServices(v6, random);
      for (int n = 0; n < FLOWS; n++) {
        VirtualService service = places.any(services);
        boolean tcp = service.protocol() == Protocol.TCP;
        int vipPort = service.ports().size() == 1 ? service.ports().first() : 80 + random.nextInt(4);
        String vip = places.vip(random.nextInt(3));
        Flow flow = new Flow(1 + n % 7, 3000 + n, tcp, vip, vipPort, "", "");
        if (send(flow, TcpHeader.SYN, 1).verdict() == Verdict.FORWARD) {
          assertThat(send(flow, TcpHeader.ACK, 2).verdict()).isEqualTo(Verdict.FORWARD);
          String[] at = net.path.serverName(net.path.last().binding()).orElseThrow().split("/");
          VirtualService found = net.balancer.service(at[0]).declaration();
          String identity = found.server(at[1]).orElseThrow().identity();
          flows.add(new Flow(flow.client, flow.port, tcp, vip, vipPort, at[0], identity));
        }
      }
    }

    private Network.Result send(Flow flow, int flags, int sequence) {
      net.nowNs += 30_000_000L;
      net.path.tick(net.nowNs, (link, made, marks) -> made.release());
      FrameBuilder frame = net.to(flow.vip, net.peer(flow.client));
      return net.fromOutside(
          flow.tcp
              ? frame.tcp(flow.port, flow.vipPort, flags).numbers(sequence, 7)
              : frame.udp(flow.port, flow.vipPort));
    }

    /** What becomes of a flow with its next packet. */
    private FlowEffect next(Flow flow) {
      Network.Result result = send(flow, TcpHeader.ACK, 2);
      return switch (result.verdict()) {
        case FORWARD -> stays(flow) ? FlowEffect.KEPT : FlowEffect.MOVED;
        case ANSWER -> FlowEffect.RESET;
        case SERVICE_DISABLED -> FlowEffect.SUSPENDED;
        default -> FlowEffect.LOST;
      };
    }

    private boolean stays(Flow flow) {
      String[] at = net.path.serverName(net.path.last().binding()).orElseThrow().split("/");
      Optional<String> name = server(net.balancer.services(), at[0], flow.server).map(RealServer::name);
      return at[0].equals(flow.service) && name.equals(Optional.of(at[1]));
    }

    @Override
    public void close() {
      net.close();
    }
  }

  private static Optional<RealServer> server(List<VirtualService> services, String service, String identity) {
    return services.stream()
        .filter(one -> one.name().equals(service))
        .flatMap(one -> one.servers().stream())
        .filter(one -> one.identity().equals(identity))
        .findFirst();
  }

  private static Optional<ServerChange> change(Plan plan, Flow flow, List<VirtualService> before) {
    String name =
        server(plan.services(), flow.service, flow.server)
            .or(() -> server(before, flow.service, flow.server))
            .orElseThrow()
            .name();
    return plan.changes().stream()
        .filter(service -> service.service().equals(flow.service))
        .flatMap(service -> service.servers().stream())
        .filter(server -> server.server().equals(name) && server.kind() != Kind.ADDED)
        .findFirst();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDoToEveryFlowWhatThePlanSays(boolean v6) {
    Map<FlowEffect, Integer> seen = new EnumMap<>(FlowEffect.class);
    int pairs = 0;
    for (int seed = 0; pairs < 100; seed++) {
      Random random = new Random(seed);
      RandomServices make = new RandomServices(v6, random);
      List<VirtualService> before = make.services();
      List<VirtualService> after = make.changed(before);
      UnservedPolicy unserved = make.any(List.of(UnservedPolicy.values()));
      if (firstError(v6, before).isPresent()) {
        continue;
      }
      try (Scene changed = new Scene(v6, before, unserved, seed);
          Scene same = new Scene(v6, before, unserved, seed)) {
        assertThat(changed.flows).isEqualTo(same.flows);
        Plan plan = changed.net.balancer.plan(after);
        assertThat(plan.changes()).as("asked twice").isEqualTo(changed.net.balancer.plan(after).changes());
        assertDifference(before, plan);
        assertCounts(changed.flows, before, plan);
        if (plan.isApplicable()) {
          changed.net.balancer.apply(plan);
          assertThat(changed.net.balancer.services()).isEqualTo(after);
          for (Flow flow : changed.flows) {
            FlowEffect unchanged = same.next(flow);
            FlowEffect planned = change(plan, flow, before).map(ServerChange::effect).orElse(unchanged);
            FlowEffect observed = changed.next(flow);
            seen.merge(planned, 1, Integer::sum);
            assertThat(observed == planned || planned == FlowEffect.MIXED && observed != FlowEffect.KEPT)
                .as(
                    "seed %d, %s: planned %s, observed %s (%s) of%s\nto%s",
                    seed,
                    flow,
                    planned,
                    observed,
                    changed.net.path.last().verdict(),
                    text(before),
                    text(after))
                .isTrue();
          }
          pairs++;
        } else {
          assertThat(plan.errors().get(0).getMessage()).isEqualTo(firstError(v6, after).orElseThrow());
          assertThatThrownBy(() -> changed.net.balancer.apply(plan)).isSameAs(plan.errors().get(0));
          assertThat(changed.net.balancer.services()).isEqualTo(before);
          changed.flows.forEach(flow -> assertThat(changed.next(flow)).isEqualTo(same.next(flow)));
        }
      }
    }
    assertThat(seen.keySet()).containsExactlyInAnyOrder(FlowEffect.values());
    int flows = seen.values().stream().mapToInt(Integer::intValue).sum();
    assertThat(seen.get(FlowEffect.MIXED)).as("rarely it cannot be told: %s", seen).isLessThan(flows / 20);
  }

  private static String text(List<VirtualService> services) {
    StringBuilder text = new StringBuilder();
    for (VirtualService service : services) {
      String method = service.forwarding().name() + (service.enabled() ? " on" : " off");
      text.append('\n').append(service).append(' ').append(method).append(' ').append(service.policies());
      text.append("\n  ").append(service.servers());
    }
    return text.toString();
  }

  /** What declaring the services at the start throws. */
  private static Optional<String> firstError(boolean v6, List<VirtualService> services) {
    Network.Options options = Network.options(v6).sessions(256).hosts(RandomServices.SERVERS).nat(b -> b);
    services.forEach(service -> options.service(service.toBuilder()));
    try {
      options.open().close();
      return Optional.empty();
    } catch (ConfigurationException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static void assertDifference(List<VirtualService> before, Plan plan) {
    Map<String, VirtualService> old = new HashMap<>();
    Map<String, VirtualService> now = new HashMap<>();
    before.forEach(service -> old.put(service.name(), service));
    plan.services().forEach(service -> now.putIfAbsent(service.name(), service));
    Set<String> names = new TreeSet<>(old.keySet());
    names.addAll(now.keySet());
    for (String name : names) {
      Optional<ServiceChange> change =
          plan.changes().stream().filter(one -> one.service().equals(name)).findFirst();
      if (!now.containsKey(name)) {
        assertThat(change.orElseThrow().kind()).isEqualTo(Kind.REMOVED);
      } else if (!old.containsKey(name)) {
        assertThat(change.orElseThrow().kind()).isEqualTo(Kind.ADDED);
      } else if (!withoutServers(old.get(name)).equals(withoutServers(now.get(name)))) {
        assertThat(change.orElseThrow().kind()).isEqualTo(Kind.CHANGED);
        assertThat(change.orElseThrow().settings()).isNotEmpty();
      } else {
        change.ifPresent(one -> assertThat(one.kind()).isEqualTo(Kind.SAME));
      }
      assertThat(change.map(PlanTest::listed).orElse(Set.of()))
          .isEqualTo(serverDifference(old.get(name), now.get(name)));
    }
  }

  private static VirtualService withoutServers(VirtualService service) {
    return service.toBuilder().realServers(List.of()).build();
  }

  private static Set<String> listed(ServiceChange change) {
    Set<String> listed = new HashSet<>();
    for (ServerChange server : change.servers()) {
      if (server.kind() != Kind.SAME) {
        listed.add(server.kind() + " " + server.server());
      }
    }
    return listed;
  }

  private static Set<String> serverDifference(VirtualService old, VirtualService now) {
    Map<String, RealServer> was = new HashMap<>();
    Map<String, RealServer> is = new HashMap<>();
    if (old != null) {
      old.servers().forEach(server -> was.put(server.identity(), server));
    }
    if (now != null) {
      now.servers().forEach(server -> is.put(server.identity(), server));
    }
    Set<String> difference = new HashSet<>();
    was.forEach(
        (identity, server) -> {
          if (!is.containsKey(identity)) {
            difference.add(Kind.REMOVED + " " + server.name());
          } else if (!is.get(identity).equals(server)) {
            difference.add(Kind.CHANGED + " " + is.get(identity).name());
          }
        });
    is.forEach(
        (identity, server) -> {
          if (!was.containsKey(identity)) {
            difference.add(Kind.ADDED + " " + server.name());
          }
        });
    return difference;
  }

  private static void assertCounts(List<Flow> flows, List<VirtualService> before, Plan plan) {
    for (VirtualService service : before) {
      for (RealServer server : service.servers()) {
        Flow some = new Flow(0, 0, true, "", 0, service.name(), server.identity());
        long count =
            flows.stream()
                .filter(flow -> flow.service.equals(service.name()) && flow.server.equals(server.identity()))
                .count();
        change(plan, some, before).ifPresent(change -> assertThat(change.flows()).isEqualTo(count));
      }
    }
  }

  /** Services are left out until the rest is right; what was said of each must be in the plan. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldListEverythingThatIsWrong(boolean v6) {
    int severalErrors = 0;
    for (int seed = 0; seed < 60; seed++) {
      RandomServices make = new RandomServices(v6, new Random(seed));
      List<VirtualService> wanted = new ArrayList<>(make.services());
      wanted.addAll(make.services());
      try (Network net = Network.options(v6).nat(b -> b).open()) {
        Plan plan = net.balancer.plan(wanted);
        List<String> planned = plan.errors().stream().map(ConfigurationException::getMessage).toList();
        List<String> thrown = new ArrayList<>();
        for (int last = wanted.size(); last > 0; last--) {
          firstError(v6, wanted.subList(0, last)).filter(one -> !thrown.contains(one)).ifPresent(thrown::add);
        }
        assertThat(planned).as("seed %d", seed).containsAll(thrown).doesNotHaveDuplicates();
        assertThat(planned.isEmpty()).isEqualTo(thrown.isEmpty());
        severalErrors += planned.size() > 1 ? 1 : 0;
      }
    }
    assertThat(severalErrors).isGreaterThan(10);
  }

  @Test
  void shouldRefuseAPlanWhenTheServicesHaveChangedSince() {
    try (Network net = Network.options(false).service(Network.web(false, 2)).open()) {
      VirtualService web = net.balancer.service("web").declaration();
      Plan plan = net.balancer.plan(List.of(web.withServer("s2", null)));
      net.balancer.service("web").realServer("s1").weight(2);
      assertThatThrownBy(() -> net.balancer.apply(plan)).isInstanceOf(IllegalStateException.class);
      assertThat(net.balancer.service("web").declaration().servers()).hasSize(2);
      Plan again = net.balancer.plan(List.of(net.balancer.service("web").declaration().withServer("s2", null)));
      net.balancer.service("web").realServer("s1").report(Health.DOWN);
      net.balancer.apply(again);
      assertThat(net.balancer.service("web").declaration().servers()).hasSize(1);
    }
  }

  @Test
  void shouldPlanNothingForTheServicesAsTheyAre() {
    try (Network net = Network.options(false).service(Network.web(false, 2)).open()) {
      net.fromOutside(net.to(net.vip(), net.peer(1)).tcp(3000, 80, TcpHeader.SYN)).forwarded();
      net.balancer.service("web").realServer("s1").report(Health.DOWN);
      net.balancer.service("web").realServer("s2").report(Health.DOWN);
      Plan plan = net.balancer.plan(net.balancer.services());
      assertThat(plan.isEmpty()).isTrue();
      assertThat(plan.isApplicable()).isTrue();
    }
  }
}

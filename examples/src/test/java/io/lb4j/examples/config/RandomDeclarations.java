package io.lb4j.examples.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.ForwarderProvider;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.gateway.Pooling;
import io.lb4j.gateway.UnsolicitedSyn;
import io.lb4j.monitor.HttpCheck;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Observation;
import io.lb4j.monitor.UdpCheck;
import io.lb4j.monitor.Watermark;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.AccessList;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import io.lb4j.topology.Route;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Makes configurations by chance, all of whose settings a file can have. Owned by one thread. */
final class RandomDeclarations {
  private static final List<String> ODD_NAMES =
      List.of("null", "yes", "12", "1e3", "0x1F", "a b", "a: b", "#no", "- x", "'q'", "\"", "\\n", "é", "😀", "{x", "*a", " a");

  private final Random random;

  RandomDeclarations(long seed) {
    this.random = new Random(seed);
  }

  Declarations next() {
    List<VirtualService> services = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      services.add(service(name("web", i)));
    }
    Map<IpAddress, MacAddress> neighbors = new LinkedHashMap<>();
    repeat(3, () -> neighbors.put(address(random.nextBoolean()), MacAddress.of(random.nextLong(1, 1L << 40))));
    List<Route> routes = new ArrayList<>();
    repeat(3, () -> routes.add(new Route(prefix(random.nextBoolean()), address(random.nextBoolean()))));
    return new Declarations(
        IntStream.rangeClosed(1, 1 + random.nextInt(3)).mapToObj(this::networkInterface).toList(),
        routes,
        neighbors,
        services,
        or(1 << 20, () -> 16 + random.nextInt(1000)),
        one(FlowTableOverflow.class),
        1 + random.nextInt(64),
        new WaitStrategies(one(WaitStrategy.class), one(WaitStrategy.class), one(WaitStrategy.class)),
        or(OptionalLong.empty(), () -> OptionalLong.of(random.nextLong() % 1_000_000_000_000L)),
        one(EchoPolicy.class),
        one(UnservedPolicy.class),
        or(AnnouncementSettings.defaults(), this::announcements),
        one(Role.class),
        or(Optional.<Outbound>empty(), () -> Optional.of(outbound())).filter(o -> !o.equals(Outbound.none())));
  }

  private <T> T or(T otherwise, Supplier<T> value) {
    return random.nextBoolean() ? otherwise : value.get();
  }

  private void repeat(int most, Runnable step) {
    for (int i = random.nextInt(most + 1); i > 0; i--) {
      step.run();
    }
  }

  private <E extends Enum<E>> E one(Class<E> type) {
    return type.getEnumConstants()[random.nextInt(type.getEnumConstants().length)];
  }

  private String name(String word, int number) {
    return or(word + number, () -> ODD_NAMES.get(random.nextInt(ODD_NAMES.size())) + number);
  }

  private Duration duration(Duration least, Duration most) {
    long[] units = {1, 1000, 60_000, 3_600_000, 86_400_000};
    long unit = units[random.nextInt(units.length)];
    long ms = unit * (1 + random.nextInt(5));
    return Duration.ofMillis(Math.min(most.toMillis(), Math.max(least.toMillis(), ms)));
  }

  private IpAddress address(boolean v6) {
    return v6
        ? IpAddress.of("2001:db8:" + Integer.toHexString(1 + random.nextInt(60_000)) + "::" + (1 + random.nextInt(99)))
        : IpAddress.of("198.18." + random.nextInt(256) + "." + (1 + random.nextInt(254)));
  }

  private IpPrefix prefix(boolean v6) {
    return prefix(v6, 8);
  }

  private IpPrefix prefix(boolean v6, int least) {
    return IpPrefix.of(address(v6), least + random.nextInt((v6 ? 129 : 33) - least));
  }

  private List<IpPrefix> prefixes(boolean v6) {
    return IntStream.range(0, random.nextInt(20) < 18 ? 2 : 40).mapToObj(i -> prefix(v6)).distinct().toList();
  }

  private InterfaceDeclaration networkInterface(int number) {
    List<String> addresses =
        IntStream.range(0, random.nextInt(3))
            .mapToObj(i -> address(random.nextBoolean()) + "/" + (1 + random.nextInt(32)))
            .toList();
    Optional<MacAddress> mac = or(Optional.empty(), () -> Optional.of(MacAddress.of(random.nextLong(1, 1L << 40))));
    return new InterfaceDeclaration(name("eth", number), mac, addresses, or(0, () -> 576 + random.nextInt(9000)),
        or(List.of(), () -> List.of(address(true).toString(), address(false).toString())), live());
  }

  private InterfaceDeclaration.Live live() {
    LiveIo io = LiveIo.values()[random.nextInt(3)];
    Latency latency = Latency.values()[random.nextInt(3)];
    return new InterfaceDeclaration.Live(io, latency, io == LiveIo.PCAP ? 1 : 1 + random.nextInt(64));
  }

  private AnnouncementSettings announcements() {
    if (random.nextInt(4) == 0) {
      return AnnouncementSettings.off();
    }
    int probes = random.nextInt(5);
    return AnnouncementSettings.builder()
        .refresh(or(Duration.ZERO, () -> duration(Duration.ZERO, Duration.ofDays(1))))
        .announcements(random.nextInt(5), duration(Duration.ofMillis(1), Duration.ofDays(1)))
        .arpProbes(probes, Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(probes == 0 ? 0 : 2))
        .duplicateAddressProbes(Math.min(1, probes), Duration.ofSeconds(1))
        .probeWait(duration(Duration.ZERO, Duration.ofDays(1)))
        .build();
  }

  private FlowTimeouts timeouts() {
    Supplier<Duration> time = () -> duration(Duration.ofSeconds(1), FlowTimeouts.LONGEST);
    return new FlowTimeouts(time.get(), time.get(), time.get(), time.get(), time.get());
  }

  private Outbound outbound() {
    Outbound.Builder builder = Outbound.builder();
    for (int i = 0; i < random.nextInt(4); i++) {
      boolean v6 = random.nextBoolean();
      String from = v6 ? "2001:db8:" + i + "::/48" : "192.0.2." + i * 16 + "/28";
      String pool = v6 ? "2001:db8:ff::" : "203.0.113.";
      if (random.nextBoolean()) {
        builder.route(from);
      } else if (random.nextBoolean()) {
        builder.nat(from, pool + 1, pool + 2);
      } else {
        builder.natPorts(from, 1024, 1024 + random.nextInt(9000), pool + 3);
      }
    }
    return builder
        .filtering(one(Filtering.class))
        .pooling(one(Pooling.class))
        .unsolicitedSyn(one(UnsolicitedSyn.class))
        .inboundRefresh(random.nextBoolean())
        .timeouts(or(Outbound.none().timeouts(), this::timeouts))
        .icmpTimeout(or(Duration.ofSeconds(60), () -> duration(Duration.ofSeconds(1), FlowTimeouts.LONGEST)))
        .build();
  }

  private VirtualService service(String name) {
    boolean v6 = random.nextBoolean();
    Protocol protocol = one(Protocol.class);
    VirtualServiceBuilder builder =
        VirtualService.of(protocol, or(PortRange.ANY, this::ports)).named(name).forwarding(method(v6));
    builder.vip(IpPrefix.host(address(v6)));
    repeat(2, () -> builder.vip(prefix(v6, v6 ? 48 : 16))); // holds no server
    Scheduler scheduler = scheduler();
    builder.scheduler(scheduler);
    PersistenceScope scope = one(PersistenceScope.class);
    if (random.nextBoolean()) {
      builder.persistence(
          SourceIpPersistence.timeout(duration(Duration.ofSeconds(1), Duration.ofDays(7)))
              .prefixLengths(or(32, () -> 1 + random.nextInt(32)), or(128, () -> 1 + random.nextInt(128)))
              .capacity(or(SourceIpPersistence.DEFAULT_CAPACITY, () -> 1L + random.nextInt(1 << 26)))
              .scope(scope));
    }
    builder.timeouts(or(null, this::timeouts)).enabled(random.nextBoolean());
    policies(builder, protocol);
    if (scope == PersistenceScope.GROUP) {
      builder.group(name("group", 2));
    }
    if (scheduler.hashInputs().isEmpty()) {
      builder.slowStart(or(Duration.ZERO, () -> duration(Duration.ofMillis(1), Duration.ofHours(1))));
    }
    boolean onePort = builder.build().ports().size() == 1;
    builder.monitors(or(MonitorReader.defaults(protocol, builder.build().ports()), () -> monitors(onePort)));
    builder.observation(protocol == Protocol.TCP ? or(null, this::observation) : null);
    builder.watermark(or(Watermark.NONE, this::watermark));
    for (int i = random.nextInt(4); i > 0; i--) {
      builder.realServer(server(name("rs", i), v6, i, onePort));
    }
    return builder.build();
  }

  private PortRange ports() {
    int first = 1 + random.nextInt(65535);
    return new PortRange(first, or(first, () -> first + random.nextInt(65536 - first)));
  }

  private ForwarderProvider method(boolean v6) {
    if (random.nextBoolean()) {
      return DirectServerReturn.create();
    }
    if (random.nextBoolean()) {
      return Gateway.create();
    }
    String[] sources = v6 ? new String[] {"2001:db8:fe::1"} : new String[] {"203.0.113.8", "203.0.113.9"};
    return or(Gateway.fullNat(sources), () -> Gateway.fullNat(sources).withProxyProtocol());
  }

  private Scheduler scheduler() {
    String name = Schedulers.names().get(random.nextInt(Schedulers.names().size()));
    Scheduler plain = Schedulers.named(name).orElseThrow();
    if (plain.hashInputs().isEmpty() || random.nextBoolean()) {
      return plain;
    }
    EnumSet<HashInput> parts = EnumSet.of(one(HashInput.class), one(HashInput.class));
    return SchedulingReader.named(name, HashInputs.of(one(HashInput.class), parts.toArray(HashInput[]::new)));
  }

  private ConnectionLimit limit() {
    int most = 1 + random.nextInt(1000);
    return random.nextBoolean() ? ConnectionLimit.of(most) : new ConnectionLimit(most, random.nextInt(most));
  }

  private void policies(VirtualServiceBuilder builder, Protocol protocol) {
    List<IpPrefix> allow = or(List.of(), () -> prefixes(random.nextBoolean()));
    List<IpPrefix> deny = new ArrayList<>(or(List.of(), () -> prefixes(random.nextBoolean())));
    deny.removeAll(allow);
    builder.access(AccessList.of(allow, deny));
    builder.maxConnections(or(ConnectionLimit.NONE, this::limit), one(Overflow.class));
    builder.drain(one(DrainBehavior.class)).whenAllDown(one(WhenAllDown.class));
    builder.whenServerDown(new LostFlows(one(LostFlows.Fate.class), one(LostFlows.Fate.class)));
    builder.whenServerRemoved(new LostFlows(lost(), lost()));
    builder.onePacket(protocol == Protocol.UDP && random.nextBoolean());
    builder.resetOnIdle(protocol == Protocol.TCP && random.nextBoolean());
    if (random.nextBoolean()) {
      builder.adoptsConnections(random.nextBoolean());
    }
    if (random.nextBoolean()) {
      builder.group(name("group", 1));
    }
  }

  private LostFlows.Fate lost() {
    LostFlows.Fate fate = one(LostFlows.Fate.class);
    return fate == LostFlows.Fate.KEEP ? LostFlows.Fate.RESET : fate;
  }

  private double share() {
    return random.nextInt(101) / 100.0;
  }

  private Watermark watermark() {
    double low = share();
    return or(Watermark.of(low), () -> new Watermark(low, Math.max(low, share())));
  }

  private Observation observation() {
    return or(Observation.defaults(), () -> Observation.defaults()
        .window(duration(Duration.ofSeconds(1), Duration.ofMinutes(5)))
        .evidence(1 + random.nextInt(9), 0.5 + share() / 2)
        .inhibit(Duration.ofSeconds(1), duration(Duration.ofSeconds(1), Duration.ofHours(24))));
  }

  private Monitors monitors(boolean onePort) {
    Set<Monitor> monitors = new LinkedHashSet<>();
    repeat(3, () -> monitors.add(monitor(onePort)));
    return new Monitors(one(Monitors.Require.class), List.copyOf(monitors));
  }

  private Monitor monitor(boolean onePort) {
    Monitor.Options options = options();
    if (options.build().check().needsPort() && !(onePort && random.nextBoolean())) {
      options.port(1 + random.nextInt(65535));
    }
    Duration interval = duration(Duration.ofMillis(100), Duration.ofHours(1));
    options.interval(interval);
    if (random.nextBoolean()) {
      options.timeout(duration(Duration.ofMillis(10), interval));
    }
    return options.in(or(2, () -> 1 + random.nextInt(9))).out(1 + random.nextInt(5)).jitter(or(0.1, this::share)).build();
  }

  private Monitor.Options options() {
    byte[] payload = or(new byte[0], () -> ODD_NAMES.get(random.nextInt(ODD_NAMES.size())).getBytes(UTF_8));
    byte[] other = or("hex:00".getBytes(UTF_8), () -> new byte[] {(byte) random.nextInt(256), 0});
    return switch (random.nextInt(6)) {
      case 0 -> Monitor.tcp();
      case 1 -> Monitor.ping();
      case 2 -> Monitor.dsr();
      case 3 -> Monitor.udp(
          or(UdpCheck.sending(payload).silencePasses(true), () -> UdpCheck.sending(other).expecting(payload)));
      case 4 -> Monitor.http(HttpCheck.head(or("/", () -> "/a?b=c#d")).expecting("200", "300-399"));
      default -> Monitor.http(
          HttpCheck.get("/\"").host("www.example.com:80").containing(ODD_NAMES.get(random.nextInt(ODD_NAMES.size()))));
    };
  }

  private RealServer server(String name, boolean v6, int number, boolean onePort) {
    IpAddress address = IpAddress.of(v6 ? "2001:db8:0:5::" + number : "192.0.2." + number);
    RealServer.Options options = new RealServer.Options();
    if (random.nextInt(4) == 0) {
      options.monitors(monitors(onePort));
    }
    return options
        .port(or(0, () -> 1 + random.nextInt(65535)))
        .weight(or(1, () -> random.nextInt(65536)))
        .activity(one(Activity.class))
        .tier(or(1, () -> 1 + random.nextInt(255)))
        .limit(or(ConnectionLimit.NONE, this::limit))
        .build(name, address);
  }
}

package io.lb4j.examples.config;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.gateway.Outbound;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.packet.Latency;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.topology.Route;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.yaml.snakeyaml.nodes.Node;

/** Reads the top of the file. Owned by one thread while it reads, then never changed. */
final class ConfigurationReader {
  static final int DEFAULT_FLOW_CAPACITY = 1 << 20;
  static final int DEFAULT_MTU = 0;

  static final Keys TOP =
      Keys.of(
              "interfaces", "routes", "neighbors", "services", "flow-table", "workers", "wait-strategy", "seed", "echo",
              "unserved", "announce", "role")
          .and(OutboundReader.KEYS);
  static final Keys INTERFACE = Keys.of("name", "mac", "addresses", "gateway-addresses", "io", "latency", "queues", "mtu");
  static final Keys ROUTE = Keys.of("to", "via");
  static final Keys FLOW_TABLE = Keys.of("capacity", "overflow");
  static final Keys WAIT_STRATEGY = Keys.of("receive", "work", "transmit");
  static final Keys ANNOUNCE = Keys.of("enabled", "period", "count", "interval", "probes", "probe-wait");

  private final List<InterfaceDeclaration> interfaces = new ArrayList<>();
  private final List<Route> routes = new ArrayList<>();
  private final Map<IpAddress, MacAddress> neighbors = new LinkedHashMap<>();
  private final List<VirtualService> services = new ArrayList<>();
  private int flowCapacity = DEFAULT_FLOW_CAPACITY;
  private FlowTableOverflow overflow = FlowTableOverflow.EVICT_EMBRYONIC;
  private int workers = 1;
  private WaitStrategies waiting = WaitStrategies.PARK;
  private OptionalLong seed = OptionalLong.empty();
  private EchoPolicy echo = EchoPolicy.ANSWER;
  private UnservedPolicy unserved = UnservedPolicy.DROP;
  private AnnouncementSettings announcements = AnnouncementSettings.defaults();
  private Role role = Role.ACTIVE;
  private Optional<Outbound> outbound = Optional.empty();

  private final Findings findings;
  private final SettingLines lines = new SettingLines();

  ConfigurationReader(String file) {
    this.findings = new Findings(file);
  }

  Configuration read(Node root) throws ConfigurationFileException {
    Value document = new Value(findings, "", root);
    document.guard(() -> readTop(document.section(TOP)));
    findings.throwIfAny();
    Declarations declared =
        new Declarations(
            interfaces, routes, neighbors, services, flowCapacity, overflow, workers, waiting, seed, echo,
            unserved, announcements, role, outbound);
    return new Configuration(findings.file(), declared, lines);
  }

  private void readTop(Section top) {
    top.lines().forEach(lines::add);
    top.require("interfaces", this::interfaces);
    top.with("routes", value -> value.each(this::route));
    top.with("neighbors", this::neighbors);
    top.require("services", this::services);
    top.with("flow-table", this::flowTable);
    top.with("workers", value -> workers = value.integer(1, 64));
    top.with("wait-strategy", this::waitStrategy);
    top.with("seed", value -> seed = OptionalLong.of(value.number()));
    top.with("echo", value -> echo = value.oneOf(EchoPolicy.class));
    top.with("unserved", value -> unserved = unserved(value));
    top.with("announce", this::announce);
    top.with("role", value -> role = value.oneOf(Role.class));
    outbound = new OutboundReader(lines).read(top);
  }

  private UnservedPolicy unserved(Value value) {
    UnservedPolicy policy = value.oneOf(UnservedPolicy.class);
    if (policy == UnservedPolicy.PASS && interfaces.stream().anyMatch(link -> link.live().io() == LiveIo.XDP)) {
      throw value.refuse(ConfigurationError.CONTRADICTION, "io xdp takes these frames from the host");
    }
    return policy;
  }

  private Value interfaces(Value value) {
    if (value.list().isEmpty()) {
      throw value.refuse(ConfigurationError.MISSING, "at least one interface is needed");
    }
    value.each(this::networkInterface);
    return value;
  }

  private void networkInterface(Value entry) {
    String label = entry.peek("name").map(Value::printable).orElse("at line " + entry.line());
    Section section = entry.section("interface " + label, INTERFACE);
    lines.add(section);
    String name = section.require("name", this::interfaceName);
    Optional<MacAddress> mac = section.get("mac", Optional.empty(), value -> Optional.of(mac(value)));
    List<String> addresses = section.get("addresses", List.of(), ConfigurationReader::addresses);
    int mtu = section.get("mtu", DEFAULT_MTU, value -> value.integer(576, 65535));
    List<String> gateways = section.get("gateway-addresses", List.of(), ConfigurationReader::gateways);
    InterfaceDeclaration.Live live = live(section);
    if (name != null) {
      interfaces.add(new InterfaceDeclaration(name, mac, addresses, mtu, gateways, live));
    }
  }

  private String interfaceName(Value value) {
    String name = value.name();
    if (interfaces.stream().anyMatch(other -> other.name().equals(name))) {
      throw value.refuse(ConfigurationError.DUPLICATE_NAME, "two interfaces have this name");
    }
    return name;
  }

  private static MacAddress mac(Value value) {
    MacAddress mac = MacAddress.of(value.text());
    if (mac.isMulticast() || mac.value() == 0) {
      throw value.refuse(ConfigurationError.NOT_UNICAST, "no interface has this address");
    }
    return mac;
  }

  private static List<String> addresses(Value value) {
    return value.listOrOne().stream().map(own -> InterfaceAddress.of(own.text()).toString()).toList();
  }

  private static List<String> gateways(Value value) {
    return value.listOrOne().stream().map(own -> IpAddress.of(own.text()).toString()).toList();
  }

  private static InterfaceDeclaration.Live live(Section section) {
    LiveIo io = section.get("io", LiveIo.AUTO, value -> value.oneOf(LiveIo.class));
    Latency latency = section.get("latency", Latency.AUTO, value -> value.oneOf(Latency.class));
    int queues = section.get("queues", 1, value -> queues(value, io));
    return new InterfaceDeclaration.Live(io, latency, queues);
  }

  private static int queues(Value value, LiveIo io) {
    int queues = value.integer(1, 64);
    if (queues > 1 && io == LiveIo.PCAP) {
      throw value.refuse(ConfigurationError.CONTRADICTION, "io pcap has one queue");
    }
    return queues;
  }

  private void route(Value entry) {
    Section section = entry.section(ROUTE);
    IpPrefix to = section.require("to", value -> IpPrefix.of(value.text()));
    IpAddress via = section.require("via", value -> IpAddress.of(value.text()));
    if (to != null && via != null) {
      routes.add(new Route(to, via));
      lines.add("route " + to, section.line());
    }
  }

  private void neighbors(Value value) {
    Set<IpAddress> seen = new HashSet<>();
    Section.entries(findings, value.setting(), value.mapping())
        .forEach((key, node) -> {
          String setting = "neighbor " + Value.printable(key.getValue());
          Value entry = new Value(findings, setting, node);
          lines.add(setting, entry.line());
          entry.guard(() -> {
            IpAddress address = IpAddress.of(key.getValue());
            if (!seen.add(address)) {
              throw entry.refuse(ConfigurationError.DUPLICATE_NAME, "the address is declared twice");
            }
            neighbors.put(address, mac(entry));
          });
        });
  }

  private Value services(Value value) {
    ServiceReader reader = new ServiceReader(lines);
    Set<String> names = new HashSet<>();
    value.each(entry ->
        reader.read(entry).ifPresent(service -> {
          if (!names.add(service.name())) {
            throw entry.refuse(ConfigurationError.DUPLICATE_NAME, "two services are named " + service.name());
          }
          services.add(service);
        }));
    return value;
  }

  private void flowTable(Value value) {
    Section section = value.section(FLOW_TABLE);
    lines.add(section);
    section.with(
        "capacity",
        capacity -> flowCapacity = capacity.integer(FlowTable.MIN_CAPACITY, FlowTable.MAX_CAPACITY));
    section.with("overflow", policy -> overflow = policy.oneOf(FlowTableOverflow.class));
  }

  /** One word for all threads, or one for each of their parts. */
  private void waitStrategy(Value value) {
    if (!value.isMapping()) {
      waiting = WaitStrategies.all(value.oneOf(WaitStrategy.class));
      return;
    }
    Section section = value.section(WAIT_STRATEGY);
    lines.add(section);
    waiting = new WaitStrategies(part(section, "receive"), part(section, "work"), part(section, "transmit"));
  }

  private static WaitStrategy part(Section section, String key) {
    return section.get(key, WaitStrategy.PARK, value -> value.oneOf(WaitStrategy.class));
  }

  private void announce(Value value) {
    Section section = value.section(ANNOUNCE);
    lines.add(section);
    AnnouncementSettings.Builder builder = AnnouncementSettings.builder();
    boolean enabled = section.get("enabled", true, Value::yes);
    section.with("period", period -> builder.refresh(period.duration()));
    int count = section.get("count", 2, number -> number.integer(0, 100));
    Duration interval = section.get("interval", Duration.ofSeconds(2), Value::duration);
    builder.announcements(count, interval);
    section.with("probes", number -> probes(number, builder));
    section.with("probe-wait", wait -> builder.probeWait(wait.duration()));
    section.guardBuild(lines, () -> announcements = enabled ? builder.build() : AnnouncementSettings.off());
  }

  /** Zero claims addresses at once, of both families. */
  private static void probes(Value value, AnnouncementSettings.Builder builder) {
    int probes = value.integer(0, 100);
    builder.arpProbes(probes, Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(probes == 0 ? 0 : 2));
    builder.duplicateAddressProbes(Math.min(probes, 1), Duration.ofSeconds(1));
  }
}

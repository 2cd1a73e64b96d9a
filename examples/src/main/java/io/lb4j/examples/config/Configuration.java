package io.lb4j.examples.config;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.gateway.Outbound;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.topology.Route;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

/** What a configuration file declares, read and checked key by key. Immutable, shared. */
public final class Configuration {
  private final SettingLines lines;
  private final ConfigurationReader from;

  Configuration(ConfigurationReader from, SettingLines lines) {
    this.from = from;
    this.lines = lines;
  }

  /**
   * Reads a file.
   *
   * @param file YAML, at most {@value YamlFile#MAX_BYTES} bytes
   * @return what it declares
   * @throws ConfigurationFileException with every finding and its line
   */
  public static Configuration load(Path file) throws ConfigurationFileException {
    return new ConfigurationReader(file.toString()).read(YamlFile.root(file));
  }

  /**
   * The file's name.
   *
   * @return as it was given
   */
  public String file() {
    return from.file();
  }

  /**
   * The interfaces.
   *
   * @return one or more, in the order of the file
   */
  public List<InterfaceDeclaration> interfaces() {
    return from.interfaces;
  }

  /**
   * The services.
   *
   * @return in the order of the file
   */
  public List<VirtualService> services() {
    return from.services;
  }

  /**
   * The routes.
   *
   * @return in the order of the file
   */
  public List<Route> routes() {
    return from.routes;
  }

  /**
   * The static neighbours.
   *
   * @return a copy
   */
  public Map<IpAddress, MacAddress> neighbors() {
    return new LinkedHashMap<>(from.neighbors);
  }

  /**
   * How virtual addresses are announced.
   *
   * @return the defaults where the file says nothing
   */
  public AnnouncementSettings announcements() {
    return from.announcements;
  }

  /**
   * What becomes of traffic that servers start.
   *
   * @return nothing where the file says nothing
   */
  public Optional<Outbound> outbound() {
    return from.outbound;
  }

  /**
   * Every address that has to be the balancer's alone: virtual ones, and those that it translates to.
   *
   * @return without the interfaces' own
   */
  public List<IpPrefix> balancerAddresses() {
    Stream<IpPrefix> vips = from.services.stream().flatMap(service -> service.vips().stream());
    Stream<IpPrefix> sources =
        from.services.stream()
            .map(VirtualService::forwarding)
            .filter(TranslatedForwarding.class::isInstance)
            .flatMap(method -> ((TranslatedForwarding) method).addresses().stream());
    Stream<IpPrefix> pools = from.outbound.stream().flatMap(outbound -> outbound.addresses().stream());
    return Stream.of(vips, sources, pools).flatMap(Function.identity()).distinct().toList();
  }

  /**
   * The seed.
   *
   * @return nothing where the file says nothing
   */
  public OptionalLong seed() {
    return from.seed;
  }

  /**
   * What only a restart changes, as text that can be compared.
   *
   * @return equal for equal settings
   */
  public String fixedSettings() {
    return from.interfaces.stream()
            .map(i -> i.name() + i.mac() + i.addresses() + i.mtu())
            .toList()
        + " "
        + from.routes
        + from.neighbors
        + from.flowCapacity
        + from.overflow
        + from.workers
        + from.seed
        + from.echo
        + from.unserved
        + from.announcements
        + from.outbound.map(Configuration::text);
  }

  private static String text(Outbound outbound) {
    return " "
        + outbound.rules()
        + outbound.filtering()
        + outbound.pooling()
        + outbound.unsolicitedSyn()
        + outbound.inboundRefresh()
        + outbound.timeouts()
        + outbound.icmpTimeout();
  }

  /**
   * Begins a balancer with everything but the interfaces and the announcements.
   *
   * @return a builder that the caller completes
   * @throws ConfigurationFileException when the library refuses a setting at once
   */
  public LoadBalancerBuilder builder() throws ConfigurationFileException {
    try {
      return fill();
    } catch (ConfigurationException e) {
      throw refused(e);
    }
  }

  private LoadBalancerBuilder fill() {
    LoadBalancerBuilder builder = LoadBalancer.builder();
    from.routes.forEach(route -> builder.route(route.to().toString(), route.via().toString()));
    from.neighbors.forEach((address, mac) -> builder.neighbor(address.toString(), mac.toString()));
    from.services.forEach(builder::service);
    Optional<FlowTableOverflow> overflow = Optional.ofNullable(from.overflow);
    overflow.ifPresentOrElse(
        policy -> builder.flowTable(from.flowCapacity, policy), () -> builder.flowTable(from.flowCapacity));
    from.outbound.ifPresent(builder::outbound);
    builder.workers(from.workers);
    from.seed.ifPresent(builder::seed);
    Optional.<EchoPolicy>ofNullable(from.echo).ifPresent(builder::echo);
    Optional.<UnservedPolicy>ofNullable(from.unserved).ifPresent(builder::unserved);
    return builder;
  }

  /**
   * Builds the balancer; what the library refuses is told with its line.
   *
   * @param builder complete
   * @return the balancer; the caller closes it
   * @throws ConfigurationFileException with one finding
   */
  public LoadBalancer build(LoadBalancerBuilder builder) throws ConfigurationFileException {
    try {
      return builder.build();
    } catch (ConfigurationException e) {
      throw refused(e);
    }
  }

  /**
   * A finding about a setting, with its line.
   *
   * @param severity how bad it is
   * @param code stable
   * @param setting path of the setting, as the library's refusals name it
   * @param reason what is the matter
   * @param remedy what to do
   * @return the finding
   */
  public Finding finding(Finding.Severity severity, String code, String setting, String reason, String remedy) {
    return new Finding(severity, file(), lines.lineOf(setting), code, setting, reason, remedy);
  }

  /**
   * A refusal of the library with the line of the setting it names.
   *
   * @param refused what the library threw
   * @return the same as an exception about this file
   */
  public ConfigurationFileException refused(ConfigurationException refused) {
    Findings findings = new Findings(file());
    findings.add(lines.lineOf(refused.setting()), "", refused);
    return ConfigurationFileException.of(findings.list());
  }
}

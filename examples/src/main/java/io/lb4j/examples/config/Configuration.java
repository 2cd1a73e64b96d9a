package io.lb4j.examples.config;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.gateway.Outbound;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.Role;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Severity;
import io.lb4j.topology.Route;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

/** What a configuration file declares, read and checked key by key. Immutable, shared. */
public final class Configuration {
  private final String file;
  private final Declarations declared;
  private final SettingLines lines;

  Configuration(String file, Declarations declared, SettingLines lines) {
    this.file = file;
    this.declared = declared;
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
   * Reads the text of a file.
   *
   * @param file its name, for findings
   * @param text YAML
   * @return what it declares
   * @throws ConfigurationFileException with every finding and its line
   */
  public static Configuration parse(String file, String text) throws ConfigurationFileException {
    return new ConfigurationReader(file).read(YamlFile.root(file, text));
  }

  /**
   * The file's name.
   *
   * @return as it was given
   */
  public String file() {
    return file;
  }

  /**
   * The same with other services, for example those that run.
   *
   * @param services in the order of the text
   * @return a new configuration
   */
  public Configuration withServices(List<VirtualService> services) {
    return new Configuration(file, declared.withServices(services), lines);
  }

  /**
   * The canonical text: keys in one order, defaults left out. Two configurations have the same exactly when they are
   * equal, and reading it gives this one.
   *
   * @return YAML
   * @throws ConfigurationException when a service was made by a program and no file could declare it
   */
  public String text() {
    return new CanonicalText(declared).toString();
  }

  /**
   * The interfaces.
   *
   * @return one or more, in the order of the file
   */
  public List<InterfaceDeclaration> interfaces() {
    return declared.interfaces();
  }

  /**
   * The services.
   *
   * @return in the order of the file
   */
  public List<VirtualService> services() {
    return declared.services();
  }

  /**
   * The routes.
   *
   * @return in the order of the file
   */
  public List<Route> routes() {
    return declared.routes();
  }

  /**
   * The static neighbours.
   *
   * @return in the order of the file
   */
  public Map<IpAddress, MacAddress> neighbors() {
    return declared.neighbors();
  }

  /**
   * How virtual addresses are announced.
   *
   * @return the defaults where the file says nothing
   */
  public AnnouncementSettings announcements() {
    return declared.announcements();
  }

  /**
   * What becomes of traffic that servers start.
   *
   * @return nothing where the file says nothing
   */
  public Optional<Outbound> outbound() {
    return declared.outbound();
  }

  /**
   * Every address that has to be the balancer's alone: virtual ones, those that it translates to, gateways.
   *
   * @return without the interfaces' own
   */
  public List<IpPrefix> balancerAddresses() {
    Stream<IpPrefix> vips = declared.services().stream().flatMap(service -> service.vips().stream());
    Stream<IpPrefix> sources =
        declared.services().stream()
            .map(VirtualService::forwarding)
            .filter(TranslatedForwarding.class::isInstance)
            .flatMap(method -> ((TranslatedForwarding) method).addresses().stream());
    Stream<IpPrefix> pools = declared.outbound().stream().flatMap(outbound -> outbound.addresses().stream());
    Stream<IpPrefix> gateways =
        declared.interfaces().stream().flatMap(link -> link.gatewayAddresses().stream()).map(IpPrefix::of);
    return Stream.of(vips, sources, pools, gateways).flatMap(Function.identity()).distinct().toList();
  }

  /**
   * Whether the balancer serves, or stands by.
   *
   * @return active where the file says nothing
   */
  public Role role() {
    return declared.role();
  }

  /**
   * The seed.
   *
   * @return nothing where the file says nothing
   */
  public OptionalLong seed() {
    return declared.seed();
  }

  /**
   * What only a restart changes.
   *
   * @param changed the file as it is now
   * @return keys of the top level that differ, in canonical order
   */
  public List<String> restartSettings(Configuration changed) {
    return declared.differences(changed.declared);
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
    declared.routes().forEach(route -> builder.route(route.to().toString(), route.via().toString()));
    declared.neighbors().forEach((address, mac) -> builder.neighbor(address.toString(), mac.toString()));
    declared.services().forEach(builder::service);
    builder.flowTable(declared.flowCapacity(), declared.overflow());
    declared.outbound().ifPresent(builder::outbound);
    builder.workers(declared.workers()).waitStrategy(declared.waiting());
    declared.seed().ifPresent(builder::seed);
    builder.echo(declared.echo()).unserved(declared.unserved()).role(declared.role());
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
   * Whether a setting stands in the file.
   *
   * @param setting its path, for example {@code service web: monitor}
   * @return false when a default applies
   */
  public boolean declares(String setting) {
    return lines.has(setting);
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
  public Finding finding(Severity severity, String code, String setting, String reason, String remedy) {
    return new Finding(severity, file(), lines.lineOf(setting), code, setting, reason, remedy);
  }

  /**
   * A finding of the library with the line of the setting it names.
   *
   * @param found by the builder, a balancer or a plan
   * @return the same about this file
   */
  public Finding finding(io.lb4j.settings.Finding found) {
    return finding(found.severity(), found.code(), found.setting(), found.reason(), found.remedy());
  }

  /**
   * Findings of the library with the lines of the settings they name.
   *
   * @param found by the builder, a balancer or a plan
   * @return in the order of the file
   */
  public List<Finding> findings(List<io.lb4j.settings.Finding> found) {
    return found.stream().map(this::finding).sorted(Comparator.comparingInt(Finding::line)).toList();
  }

  /**
   * A refusal of the library with the line of the setting it names.
   *
   * @param refused what the library threw
   * @return the same as an exception about this file
   */
  public ConfigurationFileException refused(ConfigurationException refused) {
    return refused(List.of(refused));
  }

  /**
   * Refusals of the library with the lines of the settings they name.
   *
   * @param refused one or more
   * @return the same as an exception about this file
   */
  public ConfigurationFileException refused(List<ConfigurationException> refused) {
    Findings findings = new Findings(file());
    refused.forEach(refusal -> findings.add(lines.lineOf(refusal.setting()), "", refusal));
    return ConfigurationFileException.of(findings.list());
  }

  /** Equal when both declare the same, wherever. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Configuration that && declared.equals(that.declared);
  }

  @Override
  public int hashCode() {
    return declared.hashCode();
  }

  @Override
  public String toString() {
    return file;
  }
}

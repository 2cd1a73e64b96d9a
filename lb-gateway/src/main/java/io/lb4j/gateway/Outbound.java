package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.Steering;
import io.lb4j.forward.Translator;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.gateway.nat.NatSteering;
import io.lb4j.gateway.nat.NatTranslator;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Traffic that servers start: which inside hosts may send through the balancer, and under which addresses. Immutable,
 * shared.
 *
 * <p>A host of a rule without a pool is routed: its packets keep their addresses. Otherwise its packets leave from an
 * address of the pool, by network address and port translation: a mapping for each inside address and port, whatever
 * the destination (RFC 4787, REQ-1). Nothing else crosses the balancer but the services' traffic: it is no open router.
 */
public final class Outbound implements TranslatorProvider {
  private static final Outbound NONE = builder().build();
  private static final int HIGHEST_PORT = 65535;

  private final List<OutboundRule> rules;
  private final Filtering filtering;
  private final Pooling pooling;
  private final UnsolicitedSyn unsolicitedSyn;
  private final boolean inboundRefresh;
  private final FlowTimeouts timeouts;
  private final Duration icmpTimeout;
  private final MappingListener listener;

  private Outbound(Builder from) {
    this.rules = List.copyOf(from.rules);
    this.filtering = from.filtering;
    this.pooling = from.pooling;
    this.unsolicitedSyn = from.unsolicitedSyn;
    this.inboundRefresh = from.inboundRefresh;
    this.timeouts = from.timeouts;
    this.icmpTimeout = from.icmpTimeout;
    this.listener = from.listener;
  }

  /**
   * No rule: nothing but the services' traffic crosses the balancer.
   *
   * @return always the same object
   */
  public static Outbound none() {
    return NONE;
  }

  /**
   * Begins with no rule and the RFCs' settings.
   *
   * @return a builder, owned by the caller
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The rules.
   *
   * @return in order of declaration; the longest prefix that holds a host's address is the host's
   */
  public List<OutboundRule> rules() {
    return rules;
  }

  /**
   * Who outside may use a mapping.
   *
   * @return address-dependent unless told otherwise
   */
  public Filtering filtering() {
    return filtering;
  }

  /**
   * Which external address a host gets.
   *
   * @return paired unless told otherwise
   */
  public Pooling pooling() {
    return pooling;
  }

  /**
   * What becomes of unsolicited SYNs.
   *
   * @return rejected unless told otherwise
   */
  public UnsolicitedSyn unsolicitedSyn() {
    return unsolicitedSyn;
  }

  /**
   * Whether packets from outside keep a UDP mapping alive.
   *
   * @return false unless told otherwise (RFC 4787, REQ-6)
   */
  public boolean inboundRefresh() {
    return inboundRefresh;
  }

  /**
   * How long sessions that servers start may be silent.
   *
   * @return the RFCs' values unless told otherwise
   */
  public FlowTimeouts timeouts() {
    return timeouts;
  }

  /**
   * How long an ICMP query may be silent.
   *
   * @return 60 seconds unless told otherwise (RFC 5508, REQ-2)
   */
  public Duration icmpTimeout() {
    return icmpTimeout;
  }

  /**
   * Hears of mappings.
   *
   * @return one that does nothing unless told otherwise
   */
  public MappingListener listener() {
    return listener;
  }

  @Override
  public List<IpPrefix> addresses() {
    return rules.stream().flatMap(rule -> rule.pool().stream()).distinct().map(IpPrefix::host).toList();
  }

  @Override
  public void check(Topology topology, Collection<VirtualService> services, int capacity) {
    for (OutboundRule rule : rules) {
      for (IpAddress external : rule.pool()) {
        checkExternal(rule, external, topology, services);
      }
      checkReachable(rule, topology);
    }
  }

  @Override
  public void lint(Topology topology, Collection<VirtualService> services, Consumer<Finding> findings) {
    new OutboundLint(this, topology, services, findings).check();
  }

  @Override
  public List<IpPrefix> insideHosts() {
    return rules.stream().map(OutboundRule::from).toList();
  }

  @Override
  public List<IpPrefix> routedHosts() {
    return rules.stream().filter(rule -> rule.pool().isEmpty()).map(OutboundRule::from).toList();
  }

  private void checkExternal(
      OutboundRule rule, IpAddress external, Topology topology, Collection<VirtualService> services) {
    String setting = "outbound " + rule.from() + ": nat";
    if (topology.ownerOf(external).isPresent()) {
      throw new ConfigurationException(
          ConfigurationError.VIP_IS_INTERFACE_ADDRESS, setting, external, "is an address of the balancer's interface");
    }
    for (OutboundRule other : rules) {
      if (other.from().contains(external)) {
        throw new ConfigurationException(
            ConfigurationError.NAT_OVERLAP, setting, external, "lies in the inside prefix " + other.from());
      }
    }
    for (VirtualService service : services) {
      for (RealServer server : service.servers()) {
        if (server.address().equals(external)) {
          throw new ConfigurationException(
              ConfigurationError.VIP_IS_SERVER, setting, external, "is the address of server " + server.name());
        }
      }
    }
  }

  /** Inside hosts have to be somewhere: on a link, or behind a router. */
  private static void checkReachable(OutboundRule rule, Topology topology) {
    boolean onLink = topology.subnets().stream().anyMatch(rule.from()::overlaps);
    boolean routed = topology.routes().stream().anyMatch(route -> route.to().overlaps(rule.from()));
    if (!onLink && !routed) {
      throw new ConfigurationException(
          ConfigurationError.UNREACHABLE_PREFIX,
          "outbound " + rule.from() + ": from",
          rule.from(),
          "no interface and no route leads to these hosts");
    }
  }

  @Override
  public Steering steering(long seed, int workers, Collection<VirtualService> services) {
    return new NatSteering(this, seed, workers, services);
  }

  @Override
  public Translator newTranslator(TranslatorContext context) {
    return new NatTranslator(this, context);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Outbound that && parts().equals(that.parts());
  }

  @Override
  public int hashCode() {
    return parts().hashCode();
  }

  private List<Object> parts() {
    return List.of(rules, filtering, pooling, unsolicitedSyn, inboundRefresh, timeouts, icmpTimeout, listener);
  }

  /** Collects rules and settings. Owned by its caller; every setter refuses a value that cannot be right. */
  public static final class Builder {
    private static final FlowTimeouts DEFAULT_TIMEOUTS = Gateway.TWO_DIRECTIONS;
    private static final MappingListener NOBODY = new MappingListener() {};

    private final List<OutboundRule> rules = new ArrayList<>();
    private Filtering filtering = Filtering.ADDRESS_DEPENDENT;
    private Pooling pooling = Pooling.PAIRED;
    private UnsolicitedSyn unsolicitedSyn = UnsolicitedSyn.REJECT;
    private boolean inboundRefresh;
    private FlowTimeouts timeouts = DEFAULT_TIMEOUTS;
    private Duration icmpTimeout = Duration.ofSeconds(60);
    private MappingListener listener = NOBODY;

    private Builder() {}

    /**
     * Lets hosts send with their own addresses.
     *
     * @param from prefix of the inside hosts
     * @return this
     */
    public Builder route(String from) {
      return rule(from, 1, HIGHEST_PORT);
    }

    /**
     * Lets hosts send from a pool of external addresses.
     *
     * @param from prefix of the inside hosts
     * @param pool one external address or more, which no interface holds
     * @return this
     */
    public Builder nat(String from, String... pool) {
      return natPorts(from, 1, HIGHEST_PORT, pool);
    }

    /**
     * Lets hosts send from some ports of a pool of external addresses.
     *
     * @param from prefix of the inside hosts
     * @param firstPort lowest external port, 1..65535
     * @param lastPort highest external port, {@code firstPort}..65535
     * @param pool one external address or more, which no interface holds
     * @return this
     */
    public Builder natPorts(String from, int firstPort, int lastPort, String... pool) {
      if (pool.length == 0) {
        throw new ConfigurationException(
            ConfigurationError.MISSING, "outbound " + from + ": nat", "none", "a pool has an address at least");
      }
      if (firstPort < 1 || lastPort < firstPort || lastPort > HIGHEST_PORT) {
        throw new ConfigurationException(
            ConfigurationError.OUT_OF_RANGE,
            "outbound " + from + ": ports",
            firstPort + "-" + lastPort,
            "not a range in 1..65535");
      }
      return rule(from, firstPort, lastPort, pool);
    }

    private Builder rule(String from, int firstPort, int lastPort, String... pool) {
      IpPrefix prefix = prefix(from);
      for (OutboundRule other : rules) {
        if (other.from().equals(prefix)) {
          throw new ConfigurationException(
              ConfigurationError.DUPLICATE_NAME, "outbound " + from + ": from", from, "two rules have this prefix");
        }
      }
      List<IpAddress> addresses = new ArrayList<>();
      for (String text : pool) {
        addresses.add(external(from, prefix, text));
      }
      rules.add(new OutboundRule(prefix, addresses, firstPort, lastPort));
      return this;
    }

    private static IpPrefix prefix(String from) {
      try {
        return IpPrefix.of(from);
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException(
            ConfigurationError.NOT_READABLE, "outbound " + from + ": from", from, e.getMessage());
      }
    }

    private static IpAddress external(String from, IpPrefix prefix, String text) {
      String setting = "outbound " + from + ": nat";
      IpAddress address;
      try {
        address = IpAddress.of(text);
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException(ConfigurationError.NOT_READABLE, setting, text, e.getMessage());
      }
      if (address.isV6() != prefix.address().isV6()) {
        throw new ConfigurationException(
            ConfigurationError.FAMILY_MISMATCH, setting, text, "the inside hosts are of the other family");
      }
      if (address.isMulticast() || address.isUnspecified() || address.isLoopback()) {
        throw new ConfigurationException(ConfigurationError.NOT_UNICAST, setting, text, "no host has this address");
      }
      return address;
    }

    /**
     * Sets who outside may use a mapping.
     *
     * @param newFiltering address-dependent unless told otherwise
     * @return this
     */
    public Builder filtering(Filtering newFiltering) {
      this.filtering = Objects.requireNonNull(newFiltering);
      return this;
    }

    /**
     * Sets which external address a host gets.
     *
     * @param newPooling paired unless told otherwise
     * @return this
     */
    public Builder pooling(Pooling newPooling) {
      this.pooling = Objects.requireNonNull(newPooling);
      return this;
    }

    /**
     * Sets what becomes of unsolicited SYNs.
     *
     * @param policy rejected unless told otherwise
     * @return this
     */
    public Builder unsolicitedSyn(UnsolicitedSyn policy) {
      this.unsolicitedSyn = Objects.requireNonNull(policy);
      return this;
    }

    /**
     * Sets whether packets from outside keep a UDP mapping alive, which lets strangers hold it open.
     *
     * @param refreshes false unless told otherwise
     * @return this
     */
    public Builder inboundRefresh(boolean refreshes) {
      this.inboundRefresh = refreshes;
      return this;
    }

    /**
     * Sets how long sessions that servers start may be silent.
     *
     * @param newTimeouts the RFCs' values unless told otherwise
     * @return this
     */
    public Builder timeouts(FlowTimeouts newTimeouts) {
      this.timeouts = Objects.requireNonNull(newTimeouts);
      return this;
    }

    /**
     * Sets how long an ICMP query may be silent.
     *
     * @param timeout 1 second to 4 hours; RFC 5508 asks for 60 seconds at least
     * @return this
     */
    public Builder icmpTimeout(Duration timeout) {
      if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(FlowTimeouts.LONGEST) > 0) {
        throw new ConfigurationException(
            ConfigurationError.OUT_OF_RANGE, "outbound: timeouts: icmp", timeout, "not in 1 s..4 h");
      }
      this.icmpTimeout = timeout;
      return this;
    }

    /**
     * Sets who hears of mappings.
     *
     * @param newListener quick, and not throwing
     * @return this
     */
    public Builder listener(MappingListener newListener) {
      this.listener = Objects.requireNonNull(newListener);
      return this;
    }

    /**
     * The rules.
     *
     * @return immutable
     */
    public Outbound build() {
      return new Outbound(this);
    }
  }
}

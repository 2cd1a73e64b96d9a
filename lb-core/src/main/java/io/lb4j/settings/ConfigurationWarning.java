package io.lb4j.settings;

import java.util.Locale;

/**
 * The rules that a configuration may break and be built all the same: each is told, once, with its remedy. What is
 * refused is in {@link ConfigurationError}. Immutable, shared.
 */
public enum ConfigurationWarning implements ConfigurationRule {
  /** A virtual address in no subnet of an interface, and no router that could send it here. */
  VIP_NOT_ON_LINK(
      Severity.WARNING,
      "give an interface an address in its subnet, or declare the route to the router that sends it here"),
  /** A virtual address in no subnet of an interface: a router has to send it here. */
  VIP_BY_ROUTER(
      Severity.INFORMATION,
      "let the router have a route for it through this balancer, or choose an address in an interface's subnet"),
  /** A virtual address that no router forwards. */
  VIP_LINK_LOCAL(Severity.WARNING, "choose an address of a routed subnet, unless all clients are on the link"),
  /** Two interfaces in one subnet, of which one is used. */
  LINKS_OVERLAP(Severity.WARNING, "give each interface a subnet of its own, or bond them"),
  /** An interface that leads to no client, server, router or inside host. */
  INTERFACE_UNUSED(Severity.INFORMATION, "remove it, or declare the route that it is for"),
  /** An interface with IPv6 addresses whose packets are smaller than IPv6 asks for. */
  MTU_BELOW_IPV6(Severity.WARNING, "let the MTU be 1280 at least, or remove its IPv6 addresses"),
  /** A declared MTU above the device's own: the device refuses larger frames. */
  MTU_ABOVE_DEVICE(Severity.WARNING, "leave the MTU out, or raise the device's with 'ip link set mtu'"),
  /** Clients and servers are on interfaces of different MTU. */
  MTU_DIFFERS(Severity.INFORMATION, "let both have one MTU, or see that nobody on the way drops ICMP errors"),
  /** A route that another one, or a connected subnet, hides. */
  ROUTE_NOT_USED(Severity.WARNING, "remove it, or narrow its prefix"),
  /** Replies pass the balancer, and no route leads to everybody. */
  NO_DEFAULT_ROUTE(
      Severity.INFORMATION,
      "add a route to 0.0.0.0/0 or ::/0 through the clients' router, unless the declared ones are all"),
  /** A passive balancer of two whose servers have no gateway address that moves. */
  PAIR_WITHOUT_GATEWAY_ADDRESS(
      Severity.WARNING,
      "declare 'gateway-addresses' on the servers' interface, and let servers have them as default gateway"),
  /** A service that another one takes frames from, because it is more exact. */
  SERVICES_NEST(
      Severity.INFORMATION,
      "leave it if the more exact service is to have them; else change address, port or protocol"),
  /** An access list that admits no client of the service's family. */
  NOBODY_ALLOWED(Severity.WARNING, "add a prefix of the service's family to 'allow'"),
  /** A service without servers. */
  NO_SERVER(Severity.WARNING, "add a server, or disable the service"),
  /** Servers that could take new flows, and all have weight 0. */
  ALL_WEIGHTS_ZERO(Severity.WARNING, "give a server a weight of 1 or more"),
  /** Every server drains or is offline. */
  NO_SERVER_TAKES_FLOWS(Severity.INFORMATION, "let a server be online"),
  /** Standby servers without an online one to stand by for. */
  ONLY_STANDBY_SERVERS(Severity.WARNING, "let the servers be online, in order of preference by weight"),
  /** A policy that counts on standby servers, and there is none. */
  NO_STANDBY_SERVER(Severity.WARNING, "give a server the activity standby"),
  /** Two servers of a service are one address and port. */
  SERVER_TWICE(Severity.WARNING, "keep one of them, and raise its weight if it is to have two shares"),
  /** Weights that differ, with a scheduler that does not look at them. */
  WEIGHTS_NOT_USED(Severity.INFORMATION, "choose 'wrr' or 'wlc', or give all servers one weight"),
  /** A service's limit above the sum of its servers' limits. */
  LIMIT_NOT_REACHED(Severity.INFORMATION, "lower the service's limit, or leave it out"),
  /** An answer to full servers, and nothing has a limit. */
  OVERFLOW_NOT_USED(Severity.INFORMATION, "set 'max-connections', or leave 'overflow' out"),
  /** Limits that the flow table cannot hold. */
  TABLE_BELOW_LIMITS(Severity.WARNING, "raise the flow table's capacity, or lower the limit"),
  /** A client is known for as long as its flows live, which is longer than persistence says. */
  PERSISTENCE_OUTLIVED(
      Severity.INFORMATION, "raise the persistence time-out above the flows', or shorten the flow time-outs"),
  /** Persistence beside a scheduler that sends a client to one server anyway. */
  PERSISTENCE_AND_HASH(
      Severity.INFORMATION, "drop one of the two: the hash costs no memory, persistence outlives a change of servers"),
  /** A policy for servers that are down, and nobody watches them. */
  NOBODY_WATCHES(Severity.INFORMATION, "add a monitor, unless the host reports their health"),
  /** A scheduler that goes by response times, and nobody measures them. */
  RESPONSE_NOT_MEASURED(Severity.WARNING, "add a monitor, or choose another scheduler"),
  /** A server's failure is found after more than a minute. */
  SLOW_DETECTION(Severity.INFORMATION, "shorten the monitor's interval, or lower 'out'"),
  /** Direct Server Return, and no monitor asks for the virtual address. */
  MONITOR_MISSES_VIP(
      Severity.INFORMATION, "use the monitor dsr, which finds a server without the virtual address on its loopback"),
  /** An HTTP monitor asks a port that expects the PROXY protocol, and sends no header. */
  MONITOR_LACKS_PROXY_HEADER(Severity.WARNING, "let the monitor ask another port, or connect by tcp only"),
  /** Replies can go past the balancer. */
  ASYMMETRIC_PATH(Severity.WARNING, "use a router in the virtual address's subnet, one mode for a server, or full-nat"),
  /** A server of Direct Server Return has the balancer as default gateway. */
  DIRECT_REPLIES_RETURN(
      Severity.INFORMATION,
      "use one mode for a server, full-nat, or another address of the server, if replies are to bypass the balancer"),
  /** Servers that cannot start connections through the balancer. */
  NO_OUTBOUND_RULE(
      Severity.INFORMATION, "add their subnet to 'outbound', with 'nat' unless their addresses are known outside"),
  /** An outbound prefix inside another one: the longer has its hosts. */
  OUTBOUND_RULES_NEST(
      Severity.INFORMATION, "leave it if those hosts are to have a rule of their own; else keep one of the two"),
  /** An outbound prefix that overlaps the virtual addresses' subnet, so that clients count as servers. */
  CLIENTS_INSIDE(Severity.WARNING, "narrow the prefix to the servers' subnet"),
  /** An address that packets are sent from, and nobody can send answers to. */
  POOL_NOT_ON_LINK(
      Severity.WARNING,
      "choose an address in an interface's subnet, or declare the route to the router that sends it here"),
  /** A pool's address in a subnet of the inside hosts. */
  POOL_AMONG_SERVERS(Severity.WARNING, "choose an address in the clients' subnet"),
  /** A pool of fewer than 1,024 ports. */
  POOL_TOO_SMALL(Severity.WARNING, "add addresses to the pool, or widen its range of ports"),
  /** Sessions end earlier than RFC 4787 and RFC 5382 allow. */
  TIMEOUT_BELOW_RFC(
      Severity.INFORMATION, "raise it to two minutes for UDP, or 7440 s for established TCP, unless silence is rare");

  private final Severity severity;
  private final String remedy;

  ConfigurationWarning(Severity severity, String remedy) {
    this.severity = severity;
    this.remedy = remedy;
  }

  /**
   * This rule broken.
   *
   * @param setting path of the setting in the builder or the file
   * @param reason what is the matter, as a sentence without a full stop
   * @return a finding
   */
  public Finding at(String setting, String reason) {
    return new Finding(this, setting, reason);
  }

  @Override
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public Severity severity() {
    return severity;
  }

  @Override
  public String remedy() {
    return remedy;
  }
}

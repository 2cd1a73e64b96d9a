package io.lb4j.settings;

import java.util.Locale;

/** The rules without which nothing is built; each has a stable {@link #code()} and a remedy. Immutable, shared. */
public enum ConfigurationError implements ConfigurationRule {
  /** A file that is not YAML. */
  YAML_SYNTAX("correct the line, or quote the value"),
  /** A key that nothing reads. */
  UNKNOWN_KEY("use a key that is known there"),
  /** A key that stands twice in one mapping. */
  DUPLICATE_KEY("keep one of them"),
  /** Text that is not an address, number or name of the expected form. */
  NOT_READABLE("write it in the form the documentation gives"),
  /** A number outside its range. */
  OUT_OF_RANGE("choose a value inside the range"),
  /** Two things share a name that must be unique. */
  DUPLICATE_NAME("give each its own name"),
  /** A name that nothing has. */
  UNKNOWN_NAME("use a name that the configuration declares"),
  /** A required setting is missing. */
  MISSING("set it"),
  /** Two virtual services claim the same frames. */
  SERVICES_OVERLAP("give each service its own address, port range or protocol"),
  /** A virtual address is one of the balancer's own interface addresses. */
  VIP_IS_INTERFACE_ADDRESS("choose an address that no interface holds as virtual address"),
  /** A virtual address is held by the kernel beside us. */
  VIP_HELD_BY_KERNEL("remove it from the host with 'ip addr del', or let its kernel ignore the address at ingress"),
  /** A virtual address is also a real server's address. */
  VIP_IS_SERVER("give the service an address of its own"),
  /** A gateway address outside the subnets of its interface. */
  GATEWAY_ADDRESS_NOT_ON_LINK("choose an address in a subnet of the interface, or an IPv6 link-local one"),
  /** A gateway address that also means something else. */
  GATEWAY_ADDRESS_IN_USE("choose an address that is used for nothing else"),
  /** A forwarding method that cannot change ports was asked to. */
  PORT_CHANGE("leave the server's port out, or use a forwarding method that translates"),
  /** A virtual address, or one that packets are sent from, is a router's of the configuration. */
  VIP_IS_ROUTER("choose an address that the router does not have"),
  /** A route whose router is the balancer. */
  ROUTE_TO_ITSELF("name the router that is to get the packets"),
  /** A real server is outside the subnets of the balancer's interfaces. */
  SERVER_NOT_ON_LINK("put server and balancer in one subnet, or use a forwarding method that routes"),
  /** Virtual service and real servers share a subnet although the method needs different ones. */
  SAME_SUBNET("put the virtual address and the servers in different subnets"),
  /** Addresses of both families where one family is needed. */
  FAMILY_MISMATCH("use addresses of one family"),
  /** An address of a NAT pool that also means something else. */
  NAT_OVERLAP("choose an address that is used for nothing else"),
  /** A prefix that no interface and no route leads to. */
  UNREACHABLE_PREFIX("connect an interface to it, or add a route"),
  /** Services that need different translators. */
  TRANSLATORS_DIFFER("use one set of outbound rules for the whole balancer"),
  /** An address that cannot be a unicast address of a host. */
  NOT_UNICAST("use a unicast address"),
  /** A persistence prefix that would give every client one server. */
  PREFIX_ZERO("use 32 (IPv4) or 128 (IPv6) for one client, or a shorter prefix above 0"),
  /** Persistence by something that layer 4 does not see. */
  PERSISTENCE_NOT_BY_ADDRESS("write 'persistence: {timeout: 5m}': the client's address is what layer 4 sees"),
  /** Something that has to read what a connection carries. */
  LAYER_7("leave it to a proxy behind the balancer: layer 4 forwards packets and reads no requests"),
  /** Two settings that cannot both hold. */
  CONTRADICTION("decide for one of the two"),
  /** A setting whose feature this version does not have. */
  NOT_SUPPORTED("leave the setting out"),
  /** The forwarding method has no implementation among the modules in use. */
  NO_FORWARDER("add the module that provides it");

  private final String remedy;

  ConfigurationError(String remedy) {
    this.remedy = remedy;
  }

  @Override
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public Severity severity() {
    return Severity.ERROR;
  }

  @Override
  public String remedy() {
    return remedy;
  }
}

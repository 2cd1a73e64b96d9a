package io.lb4j.examples.lab;

import java.util.StringJoiner;

/** The configuration of the lab's balancer, as {@code lb run} reads it. Owned by one thread. */
public final class BalancerConfiguration {
  private static final String DIRECT =
      """
          addresses: [192.0.2.5/24, "2001:db8:5::5/64"]
      """;
  private static final String DUAL =
      """
          addresses: [198.51.100.5/24, "2001:db8:c::5/64"]
        - name: eth1
          addresses: [192.0.2.5/24, "2001:db8:5::5/64"]
      """;
  private static final String SINGLE =
      """
          addresses: [198.51.100.5/24, "2001:db8:c::5/64", 192.0.2.5/24, "2001:db8:5::5/64"]
      """;
  private static final String OUTSIDE =
      """
      routes: [{to: 0.0.0.0/0, via: 198.51.100.1}, {to: "::/0", via: "2001:db8:c::1"}]
      """;

  private final LabTopology topology;
  private final StringBuilder services = new StringBuilder();
  private final StringBuilder settings = new StringBuilder();
  private String mac = "";
  private String gateways = "";
  private boolean second;
  private int queues = 1;
  private LabIo io = LabIo.chosen();

  /** Direct server return, without services. */
  public BalancerConfiguration() {
    this(LabTopology.DIRECT);
  }

  /**
   * Without services.
   *
   * @param topology the lab's
   */
  public BalancerConfiguration(LabTopology topology) {
    this.topology = topology;
  }

  /**
   * Gives the balancer a MAC address of its own beside the device's.
   *
   * @param address for example 02:00:00:00:01:05
   * @return this
   */
  public BalancerConfiguration mac(String address) {
    mac = "    mac: \"" + address + "\"\n";
    return this;
  }

  /**
   * Chooses how frames are exchanged, where it is not the system property that does.
   *
   * @param way as the lab's
   * @return this
   */
  public BalancerConfiguration io(LabIo way) {
    io = way;
    return this;
  }

  /**
   * Divides the frames of each interface.
   *
   * @param count of queues
   * @return this
   */
  public BalancerConfiguration queues(int count) {
    queues = count;
    return this;
  }

  /**
   * For the host {@code lb2}: its own addresses in place of the first balancer's.
   *
   * @return this
   */
  public BalancerConfiguration second() {
    second = true;
    return this;
  }

  /**
   * Gives the interface towards the servers addresses that they may have as their gateway.
   *
   * @param addresses of the servers' subnets
   * @return this
   */
  public BalancerConfiguration gatewayAddresses(String... addresses) {
    gateways = "    gateway-addresses: [\"" + String.join("\", \"", addresses) + "\"]\n";
    return this;
  }

  /**
   * Lets servers start connections: s1 with its own address, the others from {@link Lab#POOL4} and {@link Lab#POOL6}.
   *
   * @return this
   */
  public BalancerConfiguration outbound() {
    return setting("outbound:\n"
        + "  - {from: " + Lab.server4(1) + "}\n"
        + "  - {from: \"" + Lab.server6(1) + "\"}\n"
        + "  - {from: 192.0.2.0/24, nat: " + Lab.POOL4 + "}\n"
        + "  - {from: \"2001:db8:5::/64\", nat: \"" + Lab.POOL6 + "\"}");
  }

  /**
   * Adds a setting of the top level.
   *
   * @param line for example {@code filtering: eif}
   * @return this
   */
  public BalancerConfiguration setting(String line) {
    settings.append(line).append('\n');
    return this;
  }

  /**
   * A service of both virtual addresses: NAME4 and NAME6, with servers s1, s2 and so on.
   *
   * @param name without 4 and 6
   * @param protocol tcp or udp
   * @param port of the virtual service
   * @param scheduler for example rr
   * @param more a line of other settings, or nothing
   * @param weights of the servers, which says how many there are
   * @return this
   */
  public BalancerConfiguration service(
      String name, String protocol, int port, String scheduler, String more, int... weights) {
    one(name + "4", topology.mode(), topology.vip4(), protocol, port, scheduler, more, weights);
    one(name + "6", topology.mode(), topology.vip6(), protocol, port, scheduler, more, weights);
    return this;
  }

  /**
   * The same by full NAT: servers see {@link Lab#FULL_NAT4} and {@link Lab#FULL_NAT6}.
   *
   * @param name without 4 and 6
   * @param protocol tcp or udp
   * @param port of the virtual service
   * @param scheduler for example rr
   * @param more a line of other settings, or nothing
   * @param weights of the servers, which says how many there are
   * @return this
   */
  public BalancerConfiguration fullNat(
      String name, String protocol, int port, String scheduler, String more, int... weights) {
    String rest = more.isEmpty() ? "" : "\n    " + more;
    one(name + "4", "gateway", topology.vip4(), protocol, port, scheduler, "full-nat: " + Lab.FULL_NAT4 + rest,
        weights);
    one(name + "6", "gateway", topology.vip6(), protocol, port, scheduler, "full-nat: \"" + Lab.FULL_NAT6 + "\"" + rest,
        weights);
    return this;
  }

  private void one(String name, String mode, String vip, String protocol, int port, String scheduler, String more,
      int... weights) {
    StringJoiner lines = new StringJoiner("\n", "", "\n");
    lines.add("  - name: " + name);
    lines.add("    vip: \"" + vip + "\"");
    lines.add("    port: " + port);
    lines.add("    protocol: " + protocol);
    lines.add("    mode: " + mode);
    lines.add("    scheduler: " + scheduler);
    if (!more.isEmpty()) {
      lines.add("    " + more);
    }
    if (!more.contains("monitor")) {
      lines.add("    monitor: none"); // the kernel beside the balancer is to have no part in what is tested
    }
    lines.add("    servers:");
    for (int i = 1; i <= weights.length; i++) {
      String address = vip.contains(":") ? Lab.server6(i) : Lab.server4(i);
      lines.add("      - {name: s" + i + ", address: \"" + address + "\", weight: " + weights[i - 1] + "}");
    }
    services.append(lines);
  }

  private String interfaces() {
    String first =
        switch (topology) {
          case DIRECT -> DIRECT;
          case GATEWAY_DUAL -> DUAL;
          case GATEWAY_SINGLE -> SINGLE;
        };
    String own = second ? first.replace(".5/", ".6/").replace("::5/", "::6/") : first;
    String both = own.replace("    addresses:", "    io: " + io + "\n    queues: " + queues + "\n    addresses:");
    return both + gateways + (topology == LabTopology.DIRECT ? "" : OUTSIDE);
  }

  /**
   * The file's text. Nobody else can have the addresses, so they are claimed without probes. Nor are there many flows:
   * to clear tables for a million takes a balancer longer than all else that it does at its start.
   *
   * @return YAML
   */
  public String text() {
    return "interfaces:\n  - name: eth0\n" + mac + interfaces()
        + "announce: {probes: 0, probe-wait: 0s}\n"
        + "flow-table: {capacity: 131072}\n"
        + settings
        + "services:\n" + services;
  }
}

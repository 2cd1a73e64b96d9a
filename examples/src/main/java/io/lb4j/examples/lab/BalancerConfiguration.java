package io.lb4j.examples.lab;

import java.util.StringJoiner;

/** The configuration of the lab's balancer, as {@code lb run} reads it. Owned by one thread. */
public final class BalancerConfiguration {
  private final StringBuilder services = new StringBuilder();
  private String mac = "";

  /** Without services. */
  public BalancerConfiguration() {}

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
    one(name + "4", Lab.VIP4, protocol, port, scheduler, more, false, weights);
    one(name + "6", Lab.VIP6, protocol, port, scheduler, more, true, weights);
    return this;
  }

  private void one(String name, String vip, String protocol, int port, String scheduler, String more, boolean six,
      int... weights) {
    StringJoiner lines = new StringJoiner("\n", "", "\n");
    lines.add("  - name: " + name);
    lines.add("    vip: \"" + vip + "\"");
    lines.add("    port: " + port);
    lines.add("    protocol: " + protocol);
    lines.add("    mode: dsr");
    lines.add("    scheduler: " + scheduler);
    if (!more.isEmpty()) {
      lines.add("    " + more);
    }
    lines.add("    servers:");
    for (int i = 1; i <= weights.length; i++) {
      String address = six ? Lab.server6(i) : Lab.server4(i);
      lines.add("      - {name: s" + i + ", address: \"" + address + "\", weight: " + weights[i - 1] + "}");
    }
    services.append(lines);
  }

  /**
   * The file's text. Nobody else can have the addresses, so they are claimed without probes.
   *
   * @return YAML
   */
  public String text() {
    return "interfaces:\n  - name: eth0\n" + mac
        + "    addresses: [192.0.2.5/24, \"2001:db8:5::5/64\"]\n"
        + "announce: {probes: 0, probe-wait: 0s}\n"
        + "services:\n" + services;
  }
}

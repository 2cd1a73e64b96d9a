package io.lb4j.examples.check;

import java.util.ArrayList;
import java.util.List;

/**
 * The linter's table in configurations: for each code a bad one, and the nearest good one, which differs in what
 * matters. Written for both families at once, with words for addresses that {@link #text} puts in.
 */
final class LintRows {
  static final String GATEWAY =
      """
      interfaces:
        - {name: eth0, mac: "02:00:00:00:00:04", addresses: ["O.5/LEN"]}
        - {name: eth1, mac: "02:00:00:00:00:05", addresses: ["I.5/LEN"]}
      routes: [{to: "ALL", via: "O.1"}]
      outbound: [{from: "IP", nat: "O.200"}]
      services:
        - name: web
          vip: "O.100"
          port: 80
          protocol: tcp
          mode: gateway
          servers: [{name: s1, address: "I.11"}, {name: s2, address: "I.12"}]
      """;

  static final String SINGLE_ARM =
      """
      interfaces: [{name: eth0, mac: "02:00:00:00:00:05", addresses: ["O.5/LEN", "I.5/LEN"]}]
      routes: [{to: "ALL", via: "O.1"}]
      outbound: [{from: "IP", nat: "O.200"}]
      services:
        - name: web
          vip: "O.100"
          port: 80
          protocol: tcp
          mode: gateway
          servers: [{name: s1, address: "I.11"}, {name: s2, address: "I.12"}]
      """;

  static final String DSR =
      """
      interfaces: [{name: eth0, mac: "02:00:00:00:00:05", addresses: ["I.5/LEN"]}]
      routes: [{to: "ALL", via: "I.1"}]
      services:
        - name: web
          vip: "I.100"
          port: 80
          protocol: tcp
          mode: dsr
          monitor: dsr
          servers: [{name: s1, address: "I.21"}, {name: s2, address: "I.22"}]
      """;

  static final String DSR_BEHIND =
      """
      interfaces:
        - {name: eth0, mac: "02:00:00:00:00:04", addresses: ["O.5/LEN"]}
        - {name: eth1, mac: "02:00:00:00:00:05", addresses: ["I.5/LEN"]}
      services:
        - name: web
          vip: "O.100"
          port: 80
          protocol: tcp
          mode: dsr
          monitor: dsr
          servers: [{name: s1, address: "I.21"}, {name: s2, address: "I.22"}]
      """;

  private static final String ROUTES_GATEWAY = "routes: [{to: \"ALL\", via: \"O.1\"}]";
  private static final String ROUTES_DSR = "routes: [{to: \"ALL\", via: \"I.1\"}]";
  private static final String SERVERS_DSR = "servers: [{name: s1, address: \"I.21\"}, {name: s2, address: \"I.22\"}]";
  private static final String THIRD = "  - {name: eth2, mac: \"02:00:00:00:00:06\", addresses: [\"X.5/LEN\"]}\n";
  private static final String OTHER =
      "  - {name: other, vip: \"I.100\", port: 80, protocol: tcp, mode: dsr, monitor: dsr, servers: ["
          + "{name: s1, address: \"I.21\"}]}\n";
  private static final String OTHER_PORT = OTHER.replace("port: 80", "port: 81");
  private static final String RANGE = OTHER.replace("port: 80", "port: 70-90").replace("monitor: dsr", "monitor: none");
  private static final String ANY = OTHER.replace("port: 80", "port: any").replace("monitor: dsr", "monitor: none");
  private static final String ANY_UDP = ANY.replace("tcp", "udp");
  private static final String ONE_PACKET =
      "  - {name: dns, vip: \"I.100\", port: 53, protocol: udp, one-packet: true, mode: dsr, servers: ["
          + "{name: s1, address: \"I.11\"}]}\n";

  private final List<Row> rows = new ArrayList<>();

  private LintRows() {
    unreadable();
    names();
    ambiguous();
    impossible();
    network();
    services();
    health();
    translation();
  }

  /** All rows. */
  static List<Row> all() {
    return List.copyOf(new LintRows().rows);
  }

  private void unreadable() {
    row("yaml-syntax", DSR).bad("port: 80", "port: [80");
    row("unknown-key", DSR).bad("port: 80", "port: 80\n    wheight: 3");
    row("duplicate-key", DSR).bad("port: 80", "port: 80\n    port: 81");
    row("not-readable", DSR).bad("protocol: tcp", "protocol: sctp");
    row("out-of-range", DSR).bad("port: 80", "port: 65536").good("port: 80", "port: 65535");
    row("out-of-range", DSR).bad("monitor: dsr", "monitor: {type: dsr, interval: 2s, timeout: 3s}")
        .good("monitor: dsr", "monitor: {type: dsr, interval: 3s, timeout: 3s}");
    row("missing", DSR).bad("    port: 80\n", "");
  }

  private void names() {
    row("duplicate-name", DSR).bad("name: s2", "name: s1");
    row("duplicate-name", DSR).bad("\"I.22\"", "\"I.21\"");
    row("duplicate-name", GATEWAY).bad("outbound: [", "outbound: [{from: \"IP\"}, ");
    row("unknown-name", DSR).bad("via: \"I.1\"", "via: \"X.1\"");
    row("unknown-name", DSR).bad("services:", "neighbors: {\"X.21\": \"02:00:00:00:00:21\"}\nservices:")
        .good("services:", "neighbors: {\"I.21\": \"02:00:00:00:00:21\"}\nservices:");
  }

  private void ambiguous() {
    row("services-overlap", DSR).bad("services:", "services:\n" + OTHER).good("services:", "services:\n" + OTHER_PORT);
    row("services-overlap", DSR)
        .bad("services:", "services:\n" + RANGE, "port: 80\n", "port: 80-99\n", "monitor: dsr", "monitor: none")
        .good("services:", "services:\n" + RANGE, "port: 80\n", "port: 91-99\n", "monitor: dsr", "monitor: none");
    row("vip-is-interface-address", DSR).bad("vip: \"I.100\"", "vip: \"I.5\"");
    row("vip-is-interface-address", GATEWAY).bad("nat: \"O.200\"", "nat: \"O.5\"");
    row("vip-is-server", DSR).bad("vip: \"I.100\"", "vip: \"I.21\"");
    row("vip-is-server", GATEWAY).bad("mode: gateway", "mode: gateway\n    full-nat: \"I.11\"")
        .good("mode: gateway", "mode: gateway\n    full-nat: \"I.9\"");
    row("vip-is-router", DSR).bad("vip: \"I.100\"", "vip: \"I.1\"");
    row("vip-is-router", GATEWAY).bad("nat: \"O.200\"", "nat: \"O.1\"");
    row("vip-is-router", GATEWAY).bad("mode: gateway", "mode: gateway\n    full-nat: \"O.1\"")
        .good("mode: gateway", "mode: gateway\n    full-nat: \"O.9\"");
    row("gateway-address-not-on-link", GATEWAY).bad("[\"I.5/LEN\"]", "[\"I.5/LEN\"], gateway-addresses: \"X.2\"")
        .good("[\"I.5/LEN\"]", "[\"I.5/LEN\"], gateway-addresses: \"I.2\"");
    row("gateway-address-in-use", GATEWAY).bad("[\"I.5/LEN\"]", "[\"I.5/LEN\"], gateway-addresses: \"I.11\"")
        .good("[\"I.5/LEN\"]", "[\"I.5/LEN\"], gateway-addresses: \"I.2\"");
    row("nat-overlap", GATEWAY).bad("nat: \"O.200\"", "nat: \"I.200\"");
    row("route-to-itself", DSR).bad("via: \"I.1\"", "via: \"I.5\"");
    row("not-unicast", DSR).bad("vip: \"I.100\"", "vip: \"GROUP\"");
    row("not-unicast", DSR).bad("vip: \"I.100\"", "vip: \"LOOPBACK\"");
    row("not-unicast", DSR).bad("\"I.22\"", "\"GROUP\"");
    row("not-unicast", DSR).v4().bad("vip: \"I.100\"", "vip: \"I.255\"").good("vip: \"I.100\"", "vip: \"I.254\"");
    row("not-unicast", DSR).v4().bad("\"I.22\"", "\"I.255\"").good("\"I.22\"", "\"I.254\"");
    row("family-mismatch", DSR).bad("vip: \"I.100\"", "vip: [\"I.100\", \"OTHERFAMILY\"]")
        .good("vip: \"I.100\"", "vip: [\"I.100\", \"I.101\"]");
    row("family-mismatch", DSR).bad("\"I.22\"", "\"OTHERFAMILY\"");
    row("family-mismatch", DSR).bad("via: \"I.1\"", "via: \"OTHERFAMILY\"");
  }

  private void impossible() {
    row("port-change", DSR).bad("\"I.21\"", "\"I.21\", port: 8080").good("\"I.21\"", "\"I.21\", port: 80");
    row("port-change", GATEWAY).bad("port: 80", "port: 80-81", "\"I.11\"", "\"I.11\", port: 8080")
        .good("\"I.11\"", "\"I.11\", port: 8080");
    row("server-not-on-link", DSR).bad("\"I.21\"", "\"X.21\"");
    row("server-not-on-link", GATEWAY).bad("\"I.11\"", "\"X.11\"");
    row("same-subnet", GATEWAY).bad("\"I.11\"", "\"O.11\"");
    row("same-subnet", SINGLE_ARM).bad("vip: \"O.100\"", "vip: \"I.100\"");
    row("unreachable-prefix", GATEWAY).bad("to: \"ALL\"", "to: \"YP\"", "from: \"IP\"", "from: \"XP\"")
        .good("to: \"ALL\"", "to: \"YP\"", "from: \"IP\"", "from: \"YP\"");
    row("prefix-zero", DSR).bad("port: 80", "port: 80\n    persistence: {timeout: 1h, prefix4: 0, prefix6: 0}")
        .good("port: 80", "port: 80\n    persistence: {timeout: 1h, prefix4: 1, prefix6: 1}");
    row("contradiction", DSR).bad("port: 80", "port: 80\n    one-packet: true")
        .good("port: 80", "port: 80\n    one-packet: true", "protocol: tcp", "protocol: udp");
    row("not-supported", DSR).bad("port: 80", "port: 80\n    reset-on-idle: true");
    row("not-supported", GATEWAY)
        .bad("port: 80", "port: 80\n    monitor: dsr").good("port: 80", "port: 80\n    monitor: tcp");
    row("persistence-not-by-address", DSR).bad("port: 80", "port: 80\n    persistence: cookie")
        .good("port: 80", "port: 80\n    persistence: {timeout: 1h}");
    row("persistence-not-by-address", GATEWAY).bad("port: 80", "port: 80\n    persistence: {cookie: SESSION}")
        .good("port: 80", "port: 80\n    persistence: {timeout: 3h}");
    row("layer-7", DSR).bad("mode: dsr", "mode: http");
    row("layer-7", GATEWAY).bad("protocol: tcp", "protocol: https");
    row("layer-7", GATEWAY).bad("port: 80", "port: 443\n    certificate: web.pem").good("port: 80", "port: 443");
    row("layer-7", DSR).bad("port: 80", "port: 80\n    compression: gzip");
  }

  private void network() {
    row("vip-not-on-link", DSR).bad("vip: \"I.100\"", "vip: \"X.100\"", ROUTES_DSR, "routes: []");
    row("vip-by-router", DSR).bad("vip: \"I.100\"", "vip: \"X.100\"");
    row("vip-link-local", DSR).bad("vip: \"I.100\"", "vip: \"LINKLOCAL\"");
    row("links-overlap", GATEWAY).bad("[\"I.5/LEN\"]", "[\"I.5/LEN\", \"O.6/LEN\"]")
        .good("[\"O.5/LEN\"]", "[\"O.5/LEN\", \"O.6/LEN\"]");
    row("interface-unused", GATEWAY).bad("routes: [", THIRD + "routes: [")
        .good("routes: [", THIRD + "routes: [{to: \"YP\", via: \"X.1\"}, ");
    row("mtu-below-ipv6", DSR).v6()
        .bad("addresses:", "mtu: 1279, addresses:").good("addresses:", "mtu: 1280, addresses:");
    row("mtu-differs", GATEWAY).bad("addresses: [\"I", "mtu: 9000, addresses: [\"I")
        .good("addresses: [\"I", "mtu: 1500, addresses: [\"I");
    row("mtu-differs", DSR_BEHIND).bad("addresses: [\"O", "mtu: 9000, addresses: [\"O")
        .good("addresses: [\"O", "mtu: 1500, addresses: [\"O");
    row("route-not-used", GATEWAY).bad("routes: [", "routes: [{to: \"IP\", via: \"O.1\"}, ")
        .good("routes: [", "routes: [{to: \"XP\", via: \"O.1\"}, ");
    row("route-not-used", GATEWAY).bad("routes: [", "routes: [{to: \"ALL\", via: \"O.2\"}, ")
        .good("routes: [", "routes: [{to: \"XP\", via: \"O.2\"}, ");
    row("no-default-route", GATEWAY).bad("to: \"ALL\"", "to: \"XP\"");
    row("pair-without-gateway-address", GATEWAY).bad("services:", "role: passive\nservices:")
        .good("services:", "role: passive\nservices:", "[\"I.5/LEN\"]", "[\"I.5/LEN\"], gateway-addresses: \"I.2\"");
  }

  private void services() {
    row("services-nest", DSR).bad("services:", "services:\n" + ANY).good("services:", "services:\n" + ANY_UDP);
    row("services-nest", DSR).bad("services:", "services:\n" + OTHER.replace("I.100", "NESTED"))
        .good("services:", "services:\n" + OTHER.replace("I.100", "NESTED").replace("80", "90"));
    row("nobody-allowed", DSR).bad("port: 80", "port: 80\n    allow: \"OTHERFAMILYP\"")
        .good("port: 80", "port: 80\n    allow: [\"OTHERFAMILYP\", \"XP\"]");
    row("no-server", DSR).bad(SERVERS_DSR, "servers: []").good(SERVERS_DSR, "enabled: false\n    servers: []");
    row("all-weights-zero", DSR).bad("\"I.21\"", "\"I.21\", weight: 0", "\"I.22\"", "\"I.22\", weight: 0")
        .good("\"I.21\"", "\"I.21\", weight: 0");
    row("no-server-takes-flows", DSR)
        .bad("\"I.21\"", "\"I.21\", activity: drain", "\"I.22\"", "\"I.22\", activity: offline")
        .good("\"I.21\"", "\"I.21\", activity: drain");
    row("only-standby-servers", DSR)
        .bad("\"I.21\"", "\"I.21\", activity: standby", "\"I.22\"", "\"I.22\", activity: standby")
        .good("\"I.21\"", "\"I.21\", activity: standby");
    row("no-standby-server", DSR).bad("port: 80", "port: 80\n    when-all-down: standby")
        .good("port: 80", "port: 80\n    when-all-down: standby", "\"I.22\"", "\"I.22\", activity: standby");
    row("no-standby-server", DSR).bad("port: 80", "port: 80\n    overflow: standby\n    max-connections: 9")
        .good("port: 80", "port: 80\n    overflow: standby\n    max-connections: 9", "\"I.22\"",
            "\"I.22\", activity: standby");
    row("server-twice", DSR).bad("\"I.22\"", "\"I.21\", port: 80").good("\"I.22\"", "\"I.22\", port: 80");
    row("weights-not-used", DSR).bad("port: 80", "port: 80\n    scheduler: rr", "\"I.22\"", "\"I.22\", weight: 2")
        .good("port: 80", "port: 80\n    scheduler: wrr", "\"I.22\"", "\"I.22\", weight: 2");
    row("limit-not-reached", DSR)
        .bad("port: 80", "port: 80\n    max-connections: 21", "\"I.21\"", "\"I.21\", max-connections: 10",
            "\"I.22\"", "\"I.22\", max-connections: 10")
        .good("port: 80", "port: 80\n    max-connections: 20", "\"I.21\"", "\"I.21\", max-connections: 10",
            "\"I.22\"", "\"I.22\", max-connections: 10");
    row("overflow-not-used", DSR).bad("port: 80", "port: 80\n    overflow: reset")
        .good("port: 80", "port: 80\n    overflow: reset\n    max-connections: 9");
    row("table-below-limits", DSR)
        .bad("port: 80", "port: 80\n    max-connections: 2049", "services:",
            "workers: 2\nflow-table: {capacity: 1024}\nservices:")
        .good("port: 80", "port: 80\n    max-connections: 2048", "services:",
            "workers: 2\nflow-table: {capacity: 1024}\nservices:");
    row("table-below-limits", GATEWAY)
        .bad("\"I.11\"", "\"I.11\", max-connections: 1025", "services:", "flow-table: {capacity: 1024}\nservices:")
        .good("\"I.11\"", "\"I.11\", max-connections: 1024", "services:", "flow-table: {capacity: 1024}\nservices:");
    row("persistence-outlived", DSR).bad("port: 80", "port: 80\n    persistence: {timeout: 899s}")
        .good("port: 80", "port: 80\n    persistence: {timeout: 900s}");
    row("persistence-outlived", GATEWAY).bad("port: 80", "port: 80\n    persistence: {timeout: 1h}")
        .good("port: 80", "port: 80\n    persistence: {timeout: 7440s}");
    row("persistence-and-hash", DSR).bad("port: 80", "port: 80\n    scheduler: sh\n    persistence: {timeout: 1h}")
        .good("port: 80", "port: 80\n    scheduler: maglev\n    persistence: {timeout: 1h}");
  }

  private void health() {
    row("nobody-watches", DSR).bad("monitor: dsr", "monitor: none\n    when-down: reset")
        .good("monitor: dsr", "monitor: dsr\n    when-down: reset");
    row("nobody-watches", DSR).bad("monitor: dsr", "monitor: none\n    watermark: 0.5")
        .good("monitor: dsr", "monitor: none\n    observation: on\n    watermark: 0.5");
    row("response-not-measured", DSR).bad("monitor: dsr", "monitor: none\n    scheduler: fastest")
        .good("monitor: dsr", "monitor: dsr\n    scheduler: fastest");
    row("slow-detection", DSR).bad("monitor: dsr", "monitor: {type: dsr, interval: 20s}")
        .good("monitor: dsr", "monitor: {type: dsr, interval: 15s}");
    row("monitor-misses-vip", DSR).bad("monitor: dsr", "monitor: tcp")
        .good("monitor: dsr", "monitors: {all-of: [dsr, tcp]}");
    row("monitor-lacks-proxy-header", GATEWAY)
        .bad("port: 80",
            "port: 80-90\n    full-nat: \"I.9\"\n    proxy-protocol: v2\n    monitor: {type: http, port: 85}")
        .good("port: 80",
            "port: 80-90\n    full-nat: \"I.9\"\n    proxy-protocol: v2\n    monitor: {type: http, port: 8080}");
    row("monitor-lacks-proxy-header", GATEWAY)
        .bad("port: 80", "port: 80\n    full-nat: \"I.9\"\n    proxy-protocol: v2\n    monitor: http")
        .good("port: 80",
            "port: 80\n    full-nat: \"I.9\"\n    proxy-protocol: v2\n    monitor: {type: http, port: 8080}");
  }

  private void translation() {
    row("asymmetric-path", GATEWAY).bad("via: \"O.1\"", "via: \"I.1\"");
    row("asymmetric-path", GATEWAY).bad("services:", "services:\n" + ONE_PACKET)
        .good("services:", "services:\n" + ONE_PACKET.replace("I.11", "I.13"));
    row("direct-replies-return", GATEWAY).bad("services:", "services:\n" + OTHER.replace("I.21", "I.11"))
        .good("services:", "services:\n" + OTHER);
    row("no-outbound-rule", GATEWAY).bad("from: \"IP\"", "from: \"I.11\"");
    row("no-outbound-rule", GATEWAY).bad("outbound: [{from: \"IP\", nat: \"O.200\"}]", "unserved: drop");
    row("outbound-rules-nest", GATEWAY).bad("outbound: [", "outbound: [{from: \"I.11\"}, ")
        .good("outbound: [", "outbound: [{from: \"XP\"}, ");
    row("clients-inside", GATEWAY).bad("outbound: [", "outbound: [{from: \"O.77\"}, ")
        .good("outbound: [", "outbound: [{from: \"XP\"}, ");
    row("pool-not-on-link", GATEWAY).bad("nat: \"O.200\"", "nat: \"X.200\"", ROUTES_GATEWAY, "routes: []");
    row("pool-not-on-link", GATEWAY)
        .bad("mode: gateway", "mode: gateway\n    full-nat: \"X.9\"", ROUTES_GATEWAY, "routes: []")
        .good("mode: gateway", "mode: gateway\n    full-nat: \"X.9\"");
    row("pool-among-servers", GATEWAY).bad("from: \"IP\", nat: \"O.200\"", "from: \"HALFP\", nat: \"UPPER\"")
        .good("from: \"IP\"", "from: \"HALFP\"");
    row("pool-too-small", GATEWAY).bad("nat: \"O.200\"", "nat: \"O.200\", ports: 2000-3022")
        .good("nat: \"O.200\"", "nat: \"O.200\", ports: 2000-3023");
    row("timeout-below-rfc", GATEWAY).bad("port: 80", "port: 80\n    timeouts: {established: 7439s}")
        .good("port: 80", "port: 80\n    timeouts: {established: 7440s}");
    row("timeout-below-rfc", GATEWAY)
        .bad("port: 80", "port: 5004\n    timeouts: {udp: 119s}", "protocol: tcp", "protocol: udp")
        .good("port: 80", "port: 53\n    timeouts: {udp: 119s}", "protocol: tcp", "protocol: udp");
    row("timeout-below-rfc", GATEWAY)
        .bad("services:", "outbound-timeouts: {established: 1h, udp: 1m, icmp: 59s}\nservices:")
        .good("services:", "outbound-timeouts: {established: 3h, udp: 2m, icmp: 60s}\nservices:");
  }

  private Row row(String code, String base) {
    Row row = new Row(code, base);
    rows.add(row);
    return row;
  }

  /** A code, and the texts with and without it. Owned by one thread. */
  static final class Row {
    final String code;
    private final String base;
    private String[] bad = {};
    private String[] good = {};
    private boolean v4 = true;
    private boolean v6 = true;

    private Row(String code, String base) {
      this.code = code;
      this.base = base;
    }

    /** Pairs of what stands in the base and what takes its place. */
    private Row bad(String... edits) {
      bad = edits;
      return this;
    }

    /** The same for the good text, which is the base unless told otherwise. */
    private Row good(String... edits) {
      good = edits;
      return this;
    }

    private Row v4() {
      v6 = false;
      return this;
    }

    private Row v6() {
      v4 = false;
      return this;
    }

    boolean concerns(boolean isV6) {
      return isV6 ? v6 : v4;
    }

    String bad(boolean isV6) {
      return text(edited(bad), isV6);
    }

    String good(boolean isV6) {
      return text(edited(good), isV6);
    }

    private String edited(String... edits) {
      String text = base;
      for (int i = 0; i < edits.length; i += 2) {
        if (!text.contains(edits[i])) {
          throw new AssertionError(code + ": not in the base: " + edits[i]);
        }
        text = text.replace(edits[i], edits[i + 1]);
      }
      return text;
    }
  }

  /** Puts the addresses of a family in: O outside, I inside, X elsewhere; P for prefixes. */
  static String text(String template, boolean isV6) {
    String[] words = isV6
        ? new String[] {
          "OTHERFAMILYP", "203.0.113.0/24", "OTHERFAMILY", "192.0.2.77", "GROUP", "ff02::9", "LOOPBACK", "::1",
          "LINKLOCAL", "fe80::7:1", "NESTED", "2001:db8:5::100/126", "HALFP", "2001:db8:5::/65", "UPPER",
          "2001:db8:5:0:8000::200", "OP", "2001:db8:c::/64", "IP", "2001:db8:5::/64", "XP", "2001:db8:e::/64", "YP",
          "2001:db8:f::/64", "LEN", "64", "ALL", "::/0", "O.", "2001:db8:c::", "I.", "2001:db8:5::", "X.",
          "2001:db8:e::"
        }
        : new String[] {
          "OTHERFAMILYP", "2001:db8:e::/64", "OTHERFAMILY", "2001:db8:5::77", "GROUP", "224.0.0.9", "LOOPBACK",
          "127.0.0.1", "LINKLOCAL", "169.254.7.1", "NESTED", "192.0.2.100/30", "HALFP", "192.0.2.0/25", "UPPER",
          "192.0.2.200", "OP", "198.51.100.0/24", "IP", "192.0.2.0/24", "XP", "203.0.113.0/24", "YP", "198.18.0.0/24",
          "LEN", "24", "ALL", "0.0.0.0/0", "O.", "198.51.100.", "I.", "192.0.2.", "X.", "203.0.113."
        };
    String text = template;
    for (int i = 0; i < words.length; i += 2) {
      text = text.replace(words[i], words[i + 1]);
    }
    return text;
  }
}

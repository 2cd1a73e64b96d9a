package io.lb4j.pcap.host;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;

/**
 * The shield as commands of nft(8). All is in one table of the family netdev, whose chains hang at the interfaces'
 * ingress: behind packet sockets, before the kernel's own stack. Immutable.
 */
final class ShieldRules {
  private static final int BEFORE_OTHERS = -400;
  private static final String NOT_OF_THE_HOST = " fib daddr type != { local, broadcast, multicast, anycast }";

  private final String table;
  private final List<String> interfaces;

  ShieldRules(String table, List<String> interfaces) {
    this.table = table;
    this.interfaces = interfaces;
  }

  boolean covers(String interfaceName) {
    return interfaces.contains(interfaceName);
  }

  /** Everything, to be done as one transaction. */
  List<String> create(BalancerAddresses addresses, boolean owned) {
    List<String> lines = new ArrayList<>();
    lines.add("add table netdev " + table + (owned ? " { flags owner; }" : ""));
    for (String kind : List.of("own", "inside", "routed")) {
      lines.add("add set netdev " + table + " " + kind + "4 { type ipv4_addr; flags interval; auto-merge; }");
      lines.add("add set netdev " + table + " " + kind + "6 { type ipv6_addr; flags interval; auto-merge; }");
    }
    lines.add("add chain netdev " + table + " solicitations");
    lines.add("add chain netdev " + table + " shield");
    lines.add(rule("ip daddr @own4"));
    lines.add(rule("ip6 daddr @own6"));
    lines.add(rule("arp daddr ip @own4"));
    lines.add("add rule netdev " + table + " shield icmpv6 type nd-neighbor-solicit jump solicitations");
    lines.add(rule("ip daddr @routed4" + NOT_OF_THE_HOST));
    lines.add(rule("ip6 daddr @routed6" + NOT_OF_THE_HOST));
    lines.add(rule("ip saddr @inside4" + NOT_OF_THE_HOST));
    lines.add(rule("ip6 saddr @inside6" + NOT_OF_THE_HOST));
    fill(lines, addresses);
    interfaces.forEach(name -> hang(lines, name));
    return lines;
  }

  private void hang(List<String> lines, String interfaceName) {
    String chain = "chain netdev " + table + " in" + interfaces.indexOf(interfaceName);
    lines.add("add " + chain + " { type filter hook ingress device \"" + interfaceName + "\" priority " + BEFORE_OTHERS
        + "; }");
    lines.add("flush " + chain);
    lines.add("add rule" + chain.substring("chain".length()) + " jump shield");
  }

  /** A chain again, which the kernel removed with its interface, or, since Linux 6.16, keeps for the next one. */
  List<String> hangAgain(String interfaceName) {
    List<String> lines = new ArrayList<>();
    hang(lines, interfaceName);
    return lines;
  }

  /** The same for a table without an owner, which may be there already: it is replaced, at once. */
  List<String> createAnew(BalancerAddresses addresses) {
    List<String> lines = new ArrayList<>();
    lines.add("add table netdev " + table); // or there may be none to delete
    lines.add("delete table netdev " + table);
    lines.addAll(create(addresses, false));
    return lines;
  }

  private String rule(String match) {
    return "add rule netdev " + table + " shield " + match + " counter drop";
  }

  /** Other addresses, to be done as one transaction. */
  List<String> replace(BalancerAddresses addresses) {
    List<String> lines = new ArrayList<>();
    for (String kind : List.of("own", "inside", "routed")) {
      lines.add("flush set netdev " + table + " " + kind + "4");
      lines.add("flush set netdev " + table + " " + kind + "6");
    }
    lines.add("flush chain netdev " + table + " solicitations");
    fill(lines, addresses);
    return lines;
  }

  private void fill(List<String> lines, BalancerAddresses addresses) {
    fill(lines, "own", addresses.own());
    fill(lines, "inside", addresses.inside());
    fill(lines, "routed", addresses.routed());
    addresses.own().stream().filter(prefix -> prefix.address().isV6()).forEach(prefix ->
        lines.add("add rule netdev " + table + " solicitations @th,64,128" + match(prefix) + " counter drop"));
  }

  private void fill(List<String> lines, String kind, List<IpPrefix> prefixes) {
    for (boolean v6 : new boolean[] {false, true}) {
      StringJoiner elements = new StringJoiner(", ", " { ", " }").setEmptyValue("");
      prefixes.stream().filter(prefix -> prefix.address().isV6() == v6).map(ShieldRules::element).forEach(elements::add);
      if (elements.length() > 0) {
        lines.add("add element netdev " + table + " " + kind + (v6 ? "6" : "4") + elements);
      }
    }
  }

  private static String element(IpPrefix prefix) {
    return prefix.isHost() ? prefix.address().toString() : prefix.toString();
  }

  /** The target of a neighbour solicitation: by its place, because older versions of nft have no name for it. */
  private static String match(IpPrefix prefix) {
    IpAddress address = prefix.address();
    String value = hex(address.high(), address.low());
    if (prefix.isHost()) {
      return " " + value;
    }
    int length = prefix.length();
    return " & " + hex(IpPrefix.maskHigh(true, length), IpPrefix.maskLow(true, length)) + " == " + value;
  }

  private static String hex(long high, long low) {
    return String.format(Locale.ROOT, "0x%016x%016x", high, low);
  }
}

package io.lb4j.examples.lab;

import java.util.List;

/** What a host's kernel has counted. Immutable. */
record KernelCounters(long forwarded4, long forwarded6, long resets, long datagrams4, long datagrams6) {
  static KernelCounters of(Lab lab, String host) {
    String old = lab.must(host, "cat", "/proc/net/snmp");
    String six = lab.must(host, "cat", "/proc/net/snmp6");
    return new KernelCounters(
        value(old, "Ip", "ForwDatagrams"),
        value6(six, "Ip6OutForwDatagrams"),
        value(old, "Tcp", "OutRsts"),
        value(old, "Udp", "InDatagrams"),
        value6(six, "Udp6InDatagrams"));
  }

  /** Two lines: names, and numbers in their order. */
  private static long value(String text, String protocol, String name) {
    List<String> lines = text.lines().filter(line -> line.startsWith(protocol + ": ")).toList();
    List<String> names = List.of(lines.get(0).split(" "));
    return Long.parseLong(lines.get(1).split(" ")[names.indexOf(name)]);
  }

  private static long value6(String text, String name) {
    return text.lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToLong(line -> Long.parseLong(line.substring(name.length()).strip()))
        .findFirst()
        .orElse(0);
  }

  /** How much more these are than earlier ones. */
  KernelCounters since(KernelCounters before) {
    return new KernelCounters(
        forwarded4 - before.forwarded4,
        forwarded6 - before.forwarded6,
        resets - before.resets,
        datagrams4 - before.datagrams4,
        datagrams6 - before.datagrams6);
  }
}

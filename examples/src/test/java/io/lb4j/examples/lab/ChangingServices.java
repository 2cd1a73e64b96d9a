package io.lb4j.examples.lab;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * What is wanted of two services, NAME4 and NAME6, and the changes that may be made to them at any time: s1 to s3 stay,
 * one of them takes new flows in any case, and s4 comes and goes. Owned by one thread.
 */
final class ChangingServices {
  static final String GUEST = "s4";

  private static final List<String> SCHEDULERS =
      List.of("rr", "wrr", "wlc", "sed", "nq", "p2c", "fastest", "sh", "maglev", "hrw");

  private final String name;
  private final int port;
  private final Random random;
  private final Map<String, Server> servers = new TreeMap<>();
  private String scheduler = "rr";

  /** A server as it is wanted. */
  private record Server(int weight, boolean draining) {
    boolean isOpen() {
      return weight > 0 && !draining;
    }
  }

  /** What was changed: a word of {@code lb ctl} for a server, or {@code apply} for what only a file can say. */
  record Change(String command, String server, int weight) {
    static final Change APPLY = new Change("apply", "", 0);
  }

  ChangingServices(String name, int port, long seed) {
    this.name = name;
    this.port = port;
    this.random = new Random(seed);
    for (String server : List.of("s1", "s2", "s3", GUEST)) {
      servers.put(server, new Server(1, false));
    }
  }

  boolean hasGuest() {
    return servers.containsKey(GUEST);
  }

  boolean guestIsOpen() {
    return hasGuest() && servers.get(GUEST).isOpen();
  }

  /** The guest takes no new flows any more. */
  Change drainGuest() {
    servers.put(GUEST, new Server(1, true));
    return new Change("drain", GUEST, 0);
  }

  void removeGuest() {
    servers.remove(GUEST);
  }

  /** Changes the share of a server, drains one or takes it back, or switches the scheduler; brings back the guest. */
  Change next(boolean byFile) {
    if (!hasGuest() && byFile && random.nextInt(3) == 0) {
      servers.put(GUEST, new Server(1 + random.nextInt(3), false));
      return Change.APPLY;
    }
    if (byFile && random.nextInt(3) == 0) {
      scheduler = other(SCHEDULERS, scheduler);
      return Change.APPLY;
    }
    return serverChange();
  }

  private String other(List<String> all, String than) {
    String one = all.get(random.nextInt(all.size()));
    return one.equals(than) ? other(all, than) : one;
  }

  private Change serverChange() {
    List<String> names = List.copyOf(servers.keySet());
    String server = names.get(random.nextInt(names.size()));
    Server before = servers.get(server);
    if (random.nextBoolean()) {
      servers.put(server, new Server(before.weight() + 1 + random.nextInt(5), before.draining()));
      servers.computeIfPresent(server, (key, now) -> new Server(now.weight() % 6, now.draining()));
    } else {
      servers.put(server, new Server(before.weight(), !before.draining()));
    }
    if (servers.entrySet().stream().noneMatch(each -> !each.getKey().equals(GUEST) && each.getValue().isOpen())) {
      servers.put(server, before);
      return serverChange();
    }
    Server after = servers.get(server);
    return after.weight() != before.weight()
        ? new Change("weight", server, after.weight())
        : new Change(after.draining() ? "drain" : "online", server, 0);
  }

  /** The file that says so. */
  String text() {
    StringJoiner text = new StringJoiner("\n", "", "\n");
    text.add(new BalancerConfiguration().text().stripTrailing());
    service(text, name + "4", Lab.VIP4, "192.0.2.1", "drop");
    service(text, name + "6", Lab.VIP6, "2001:db8:5::1", "reset");
    return text.toString();
  }

  private void service(StringJoiner text, String service, String vip, String stem, String whenRemoved) {
    text.add("  - name: " + service);
    text.add("    vip: \"" + vip + "\"");
    text.add("    port: " + port);
    text.add("    protocol: tcp");
    text.add("    mode: dsr");
    text.add("    scheduler: " + scheduler);
    text.add("    when-removed: " + whenRemoved);
    text.add("    monitor: none");
    text.add("    servers:");
    servers.forEach((server, wanted) -> text.add(
        "      - {name: " + server + ", address: \"" + stem + server.charAt(1) + "\", weight: " + wanted.weight()
            + ", activity: " + (wanted.draining() ? "drain" : "online") + "}"));
  }
}

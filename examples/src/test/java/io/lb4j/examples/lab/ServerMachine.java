package io.lb4j.examples.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.examples.CommandRun;
import io.lb4j.examples.Lb;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A server of the lab as the machine that {@code lb setup} is for: its own namespace, and a folder in place of
 * {@code /} for the files, where {@code LB4J_LIVE=yes} lets the scripts change the namespace as well. Owned by one
 * thread.
 */
final class ServerMachine {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final LabFixture fixture;
  private final String host;
  private final Path root;

  ServerMachine(LabFixture fixture, String host) {
    this.fixture = fixture;
    this.host = host;
    this.root = fixture.lab.directory().resolve(host + "-root");
  }

  /** A fresh folder, with what a distribution has in it. */
  void distribution() {
    on("rm -rf " + root);
    file("etc/network/interfaces", """
        auto lo
        iface lo inet loopback

        auto eth0
        iface eth0 inet static
            address 192.0.2.11/24
            gateway 192.0.2.1
        iface eth0 inet6 static
            address 2001:db8:5::11/64
            gateway 2001:db8:5::1
            dad-attempts 0
        """);
    file("etc/netplan/50-cloud-init.yaml", """
        network:
          version: 2
          ethernets:
            eth0:
              addresses: [192.0.2.11/24, "2001:db8:5::11/64"]
              accept-ra: false
              routes:
                - {to: default, via: 192.0.2.1}
                - {to: default, via: "2001:db8:5::1"}
        """);
    file("etc/systemd/network/10-eth0.network", """
        [Match]
        Name=eth0

        [Network]
        Address=192.0.2.11/24
        Address=2001:db8:5::11/64
        Gateway=192.0.2.1
        Gateway=2001:db8:5::1
        IPv6AcceptRA=no
        """);
    file("etc/sysconfig/network-scripts/ifcfg-lo", "DEVICE=lo\nIPADDR=127.0.0.1");
    file("etc/sysconfig/network-scripts/route-eth0", "198.18.0.0/15 via 192.0.2.1\n");
    on("chmod 600 " + root + "/etc/netplan/*");
  }

  /** The addresses of s1 and nothing else, as a machine has them that nobody has set up for a balancer. */
  void reset(String defaultRoutes) {
    on("for d in eth9 eth9.7; do ip link del $d 2> /dev/null || :; done; "
        + "ip -4 route flush exact default; ip -6 route flush exact default; "
        + "for n in 0.0.0.0/1 128.0.0.0/1; do ip -4 route flush exact $n; done; "
        + "for n in ::/1 8000::/1; do ip -6 route flush exact $n; done; "
        + "for d in lo eth0; do ip addr flush dev $d scope global; done; "
        + "ip addr add 192.0.2.11/24 dev eth0; ip addr add 2001:db8:5::11/64 dev eth0 nodad; "
        + "cd /proc/sys/net; for d in all default eth0; do for k in arp_ignore arp_announce rp_filter; do "
        + "echo 0 > ipv4/conf/$d/$k; done; for k in accept_redirects secure_redirects; do "
        + "echo 1 > ipv4/conf/$d/$k; done; done; echo 1 > ipv6/conf/eth0/accept_redirects; " + defaultRoutes
        + "; until ip -6 route show table local | grep -q 'local 2001:db8:5::11 '; do sleep 0.05; done");
    distribution();
  }

  private void file(String name, String text) {
    try {
      Path path = root.resolve(name);
      Files.createDirectories(path.getParent());
      Files.writeString(path, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path root() {
    return root;
  }

  /** Shell commands in the namespace, which must succeed. */
  String on(String commands) {
    return fixture.lab.must(host, "sh", "-c", "set -e; " + commands);
  }

  /** The script of the running balancer's own file. */
  String script(String... options) {
    List<Object> arguments = new ArrayList<>(
        List.of("setup", fixture.balancer.file(), "--server", host, "--os", "linux"));
    arguments.addAll(List.of(options));
    CommandRun run = CommandRun.lb(arguments.toArray());
    assertThat(run.exit()).as(run.err()).isZero();
    return run.out();
  }

  /** Runs a script; files go below the folder. */
  Outcome run(String script, String... variables) {
    Path file = fixture.lab.directory().resolve(host + "-setup.sh");
    try {
      Files.writeString(file, script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> command = new ArrayList<>(List.of("env", "LB4J_ROOT=" + root, "LB4J_LIVE=yes"));
    command.addAll(List.of(variables));
    command.addAll(List.of("sh", "-c", "sh < " + file)); // as from ssh
    return fixture.lab.exec(host, LIMIT, command);
  }

  void mustRun(String script, String... variables) {
    Outcome outcome = run(script, variables);
    assertThat(outcome.status()).as(outcome.output()).isZero();
  }

  /**
   * Addresses, routes, sysctls and files, as one text to compare. What {@code ip} complains of namespaces that other
   * labs take away while it looks is none of them.
   */
  String state() {
    return on("ip -d address 2> /dev/null | grep -v valid_lft | sed 's/ tentative//'; ip -4 route show table all; "
        + "ip -6 route show table all; sysctl -a 2> /dev/null | grep -E '^net\\.ipv[46]\\.(conf|neigh)' | sort") + files();
  }

  /** Compares, and tells only what differs. The kernel finishes some of its work on IPv6 addresses a moment later. */
  void mustBe(String before) {
    String now = state();
    for (int i = 0; i < 10 && !now.equals(before); i++) {
      Lab.pause(200);
      now = state();
    }
    List<String> lost = new ArrayList<>(before.lines().toList());
    List<String> found = new ArrayList<>(now.lines().toList());
    lost.removeAll(found);
    before.lines().forEach(found::remove);
    assertThat("lost " + lost + ", found " + found).isEqualTo("lost [], found []");
    assertThat(now).isEqualTo(before);
  }

  private String files() {
    try (Stream<Path> paths = Files.walk(root)) {
      return paths.sorted().map(this::describe).collect(Collectors.joining());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String describe(Path path) {
    try {
      String rights = PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
      return root.relativize(path) + " " + rights + "\n" + (Files.isDirectory(path) ? "" : Files.readString(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether clients of both families get this server's answer through the balancer. */
  void mustServe(int port) {
    for (boolean v6 : new boolean[] {false, true}) {
      String answer = ask(v6, port, "-m", "5", "--retry", "2").output();
      assertThat(answer).isEqualTo(host + " " + client(v6) + " " + seen(v6) + "\n");
    }
  }

  /** The server's own address of the connection: the virtual one, or the translated one. */
  private String seen(boolean v6) {
    int number = host.charAt(1) - '0';
    if (fixture.lab.topology().isGateway()) {
      return v6 ? Lab.server6(number) : Lab.server4(number);
    }
    return v6 ? Lab.VIP6 : Lab.VIP4;
  }

  /** Asks {@code lb verify}, beside the running balancer. */
  String verify() {
    return fixture.lab.java("lb", Lb.class, "verify", fixture.balancer.file().toString()).output();
  }

  /** Both families at once, for each waits until it gives up. */
  void mustNotServe(int port) {
    assertThat(Stream.of(false, true).parallel().filter(v6 -> ask(v6, port, "-m", "2").ok())).isEmpty();
  }

  private static String client(boolean v6) {
    return v6 ? LabFixture.CLIENT6 : LabFixture.CLIENT4;
  }

  private Outcome ask(boolean v6, int port, String... patience) {
    String vip = v6 ? "[" + fixture.lab.topology().vip6() + "]" : fixture.lab.topology().vip4();
    List<String> command = new ArrayList<>(List.of("curl", "-s", "-g", "--interface", client(v6)));
    command.addAll(List.of(patience));
    command.add("http://" + vip + ":" + port + "/");
    return fixture.lab.exec("cl", LIMIT, command);
  }
}

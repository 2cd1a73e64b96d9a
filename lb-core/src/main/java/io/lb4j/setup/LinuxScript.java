package io.lb4j.setup;

import io.lb4j.address.IpAddress;
import java.util.List;
import java.util.stream.Collectors;

/** The shell scripts. Immutable. */
final class LinuxScript {
  private static final String VARIABLES =
      """
      #
      # LB4J_ROOT       a folder that stands for /: files are written below it, and the running system stays as it is
      # LB4J_LIVE       yes or no: whether the running system is changed; yes, unless LB4J_ROOT is set
      # LB4J_STATE      a folder for what was there before; $LB4J_ROOT/var/lib/lb4j-setup
      # LB4J_INTERFACE  the interface towards the balancer; otherwise found by this machine's addresses
      """;

  private static final String MAIN =
      """
      # Nothing runs before the last line has been read, wherever the script comes from.
      main() {
      """;

  private static final String HOLD4 =
      """
      # IPv4: this machine holds the address, but neither answers ARP for it nor tells it in requests of its own. What
      # counts is the interface that a request comes in by, so a value for lo does nothing; the kernel takes the larger of
      # 'all' and that interface's.
      set_sysctl net/ipv4/conf/all/arp_ignore 1 1
      set_sysctl net/ipv4/conf/all/arp_announce 2 2
      for interface in $INTERFACES4; do
        set_sysctl "net/ipv4/conf/$interface/arp_ignore" 1 1
        set_sysctl "net/ipv4/conf/$interface/arp_announce" 2 2
        # Strict filtering drops packets of clients that are answered by another interface: only where there is one.
        if is_strict "$interface"; then
          set_sysctl "net/ipv4/conf/$interface/rp_filter" 2 2
        fi
      done

      # /32: with a subnet's mask on lo this machine would take every address of the subnet for itself.
      """;

  private static final String HOLD6 =
      """
      # IPv6: an address on lo is never advertised on a link, so there is no setting to make. It must not be on the
      # interface towards the balancer, which would answer for it.
      """;

  private static final String REDIRECTS4 =
      """
      # Nobody may tell this machine of a shorter way to clients: answers that go past the balancer are lost.
      # Off only when both values are 0.
      for interface in all "$GATEWAY_INTERFACE4"; do
        set_sysctl "net/ipv4/conf/$interface/accept_redirects" 0 0
        set_sysctl "net/ipv4/conf/$interface/secure_redirects" 0 0
      done

      """;

  private static final String REDIRECTS6 =
      """
      # Nobody may tell this machine of a shorter way to clients. IPv6 has no common switch.
      set_sysctl "net/ipv6/conf/$GATEWAY_INTERFACE6/accept_redirects" 0 0

      """;

  private static final String DEFAULT_ROUTE =
      """
      # The balancer has to see the answers. No metric for IPv4 and 1 for IPv6 win over every other default route, those
      # of DHCP and router advertisements too.
      """;

  private static final String HALVES =
      """
      # The balancer has to see the answers. Two halves of all addresses win over every default route, whatever its metric
      # and whoever sets it, so the file with this interface's own settings stays as it is.
      """;

  private final ServerNeeds needs;
  private final SetupTarget target;
  private final String machine; // flavour and addresses

  LinuxScript(ServerNeeds needs, SetupTarget target) {
    this.needs = needs;
    this.target = target;
    this.machine = target.flavour().key()
        + needs.addresses().stream().map(address -> " " + address).collect(Collectors.joining());
  }

  String apply() {
    StringBuilder text = new StringBuilder(head("Sets up", keeper()
        + "\n# Running this again changes nothing. The script of --undo restores what the first run found."));
    if (needs.isNothing()) {
      return text.append("echo 'lb setup: nothing to do'\n").toString();
    }
    text.append(ShellFunctions.HEAD).append(ShellFunctions.APPLY);
    text.append(MAIN).append("INTERFACE=").append(wordOf("LB4J_INTERFACE")).append("\ncheck_rights\n");
    text.append("check_state ").append(machine).append('\n');
    refuse(text);
    text.append("begin ").append(machine).append("\n\n");
    hold(text);
    route(text);
    if (target.flavour().isKeptInFiles()) {
      text.append(new LinuxFiles(needs, target.flavour()).text());
    }
    return text.append("finish ").append(target.flavour().key()).append("\n}\n\nmain\n").toString();
  }

  String undo() {
    String head = head("Takes back what sets up",
        "Restores what the first run of that script found. Without a set-up it does nothing.");
    return needs.isNothing()
        ? head + "echo 'lb setup: nothing to take back'\n"
        : head + ShellFunctions.HEAD + ShellFunctions.UNDO + "undo\n";
  }

  private String head(String verb, String more) {
    String addresses = needs.addresses().stream().map(IpAddress::toString).collect(Collectors.joining(", "));
    return "#!/bin/sh\n# " + verb + " the real server " + needs.server() + " (" + addresses + "): " + needs.method()
        + ".\n# " + more + "\n" + VARIABLES;
  }

  private String keeper() {
    return switch (target.flavour()) {
      case IPROUTE2 -> "At once, with iproute2, until the next restart.";
      case SYSTEMD_NETWORKD -> "At once, and for later starts in files of systemd-networkd.";
      case NETPLAN -> "At once, and for later starts in files of netplan.";
      case NETWORKMANAGER -> "At once, and for later starts in files of NetworkManager, 1.42 or later.";
      case IFUPDOWN -> "At once, and for later starts in files of ifupdown.";
      default -> "At once, and for later starts in files of network-scripts (ifcfg).";
    };
  }

  private String wordOf(String variable) {
    return "${" + variable + ":-" + target.interfaceName().orElse("") + "}";
  }

  /** Everything that can be refused is found before anything is changed. */
  private void refuse(StringBuilder text) {
    needs.addresses().forEach(address -> text.append("own_address ").append(address).append('\n'));
    needs.virtualAddresses().forEach(address -> text.append("check_place ").append(address)
        .append(address.isV6() ? " 128\n" : " 32\n"));
    findInterfaces(text);
    if (target.flavour().isKeptInFiles()) {
      text.append(new LinuxFiles(needs, target.flavour()).checks());
    }
  }

  private void findInterfaces(StringBuilder text) {
    if (!needs.virtualAddresses(false).isEmpty()) {
      text.append("INTERFACES4=\n");
      for (IpAddress address : needs.addresses(false)) {
        text.append("found=$(interface_of ").append(address).append(")\n");
        text.append("case \" $INTERFACES4 \" in *\" $found \"*) ;; *) INTERFACES4=\"$INTERFACES4 $found\" ;; esac\n");
      }
    }
    for (IpAddress gateway : needs.gateways()) {
      text.append("GATEWAY_INTERFACE").append(gateway.isV6() ? 6 : 4).append("=$(interface_towards ").append(gateway)
          .append(' ').append(needs.addresses(gateway.isV6()).get(0)).append(")\n");
    }
  }

  private void hold(StringBuilder text) {
    List<IpAddress> v4 = needs.virtualAddresses(false);
    if (!v4.isEmpty()) {
      text.append(HOLD4);
      v4.forEach(address -> text.append("loopback_address -4 ").append(address).append(" 32\n"));
      text.append('\n');
    }
    List<IpAddress> v6 = needs.virtualAddresses(true);
    if (!v6.isEmpty()) {
      text.append(HOLD6);
      v6.forEach(address -> text.append("loopback_address -6 ").append(address).append(" 128\n"));
      text.append('\n');
    }
  }

  private void route(StringBuilder text) {
    if (needs.gateways().isEmpty()) {
      return;
    }
    needs.gateway(false).ifPresent(gateway -> text.append(REDIRECTS4));
    needs.gateway(true).ifPresent(gateway -> text.append(REDIRECTS6));
    text.append(target.flavour().isKeptInFiles() ? HALVES : DEFAULT_ROUTE);
    for (IpAddress gateway : needs.gateways()) {
      for (String destination : destinations(gateway.isV6())) {
        text.append(gateway.isV6() ? "set_route -6 " : "set_route -4 ").append(destination).append(' ').append(gateway)
            .append(gateway.isV6() ? " \"$GATEWAY_INTERFACE6\"" : " \"$GATEWAY_INTERFACE4\"")
            .append(destination.equals("default") && gateway.isV6() ? " 1\n" : "\n");
      }
    }
    text.append('\n');
  }

  private List<String> destinations(boolean v6) {
    if (!target.flavour().isKeptInFiles()) {
      return List.of("default");
    }
    return v6 ? List.of("::/1", "8000::/1") : List.of("0.0.0.0/1", "128.0.0.0/1");
  }
}

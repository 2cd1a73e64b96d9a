package io.lb4j.setup;

import io.lb4j.address.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The part of a shell script that writes the files of one flavour. Immutable. */
final class LinuxFiles {
  private static final String FIND_NETWORK_FILE =
      """
      # network_file INTERFACE: the .network file that systemd-networkd has for it, but for our own
      network_file() {
        if [ "$LIVE" = yes ] && [ -z "$ROOT" ] && command -v networkctl > /dev/null; then
          file=$(networkctl status "$1" 2> /dev/null | sed -n 's/^ *Network File: *\\(\\/.*\\)$/\\1/p')
          case $file in '' | */90-lb4j*) ;; *) echo "${file##*/}" && return 0 ;; esac
        fi
        for folder in etc run usr/lib; do
          grep -lsxF -e "Name=$1" "$ROOT/$folder/systemd/network/"*.network || :
        done | sed 's/.*\\///' | grep -v '^90-lb4j' | sort | head -n 1
      }

      """;

  private static final String NETWORKD_ROUTES =
      """
      printf '%s' "$ROUTES" | cut -d ' ' -f 4 | sort -u | while read -r interface; do
        file=$(network_file "$interface")
        printf '%s' "$ROUTES" | while read -r family destination gateway device; do
          [ "$device" != "$interface" ] || printf '[Route]\\nDestination=%s\\nGateway=%s\\n\\n' "$destination" "$gateway"
        done | put_file "/etc/systemd/network/$file.d/90-lb4j.conf" 644
      done
      """;

  /** A definition of its own would take the interface from the one that netplan has; elsewhere, all is refused. */
  private static final String FIND_NETPLAN_KIND =
      """
      # netplan_kind INTERFACE: the section of netplan that its definition is in
      netplan_kind() {
        for file in "$ROOT"/etc/netplan/*.yaml "$ROOT"/run/netplan/*.yaml "$ROOT"/lib/netplan/*.yaml; do
          case $file in */90-lb4j-*) continue ;; esac
          [ ! -f "$file" ] || awk -v name="$1" '
            /^ *(#|$)/ { next }
            { match($0, /^ */); depth = RLENGTH; key = $1; sub(/:.*/, "", key); gsub(/["\\047]/, "", key) }
            kind != "" && depth <= at { kind = "" }
            kind == "" {
              if (key ~ /^(ethernets|wifis|modems|bonds|bridges|vlans|tunnels|vrfs|dummy-devices|virtual-ethernets)$/) {
                kind = key; at = depth; own = 0
              }
              next
            }
            !own { own = depth }
            depth == own && key == name { print kind; exit }' "$file"
        done | head -n 1
      }

      """;

  private static final String NETPLAN_ROUTES =
      """
      printf '%s' "$ROUTES" | cut -d ' ' -f 4 | sort -u | while read -r interface; do
        {
          printf 'network:\\n  version: 2\\n  %s:\\n    %s:\\n      routes:\\n' "$(netplan_kind "$interface")" "$interface"
          printf '%s' "$ROUTES" | while read -r family destination gateway device; do
            [ "$device" != "$interface" ] || printf '        - {to: "%s", via: "%s"}\\n' "$destination" "$gateway"
          done
        } | put_file "/etc/netplan/90-lb4j-$interface.yaml" 600
      done
      """;

  private static final String DISPATCHER =
      """
      {
        cat << 'END'
      #!/bin/sh
      # Written by lb setup: the balancer is the gateway. NetworkManager gives the interface and what happened.
      case $2 in up | dhcp4-change | dhcp6-change | reapply) ;; *) exit 0 ;; esac
      END
        printf '%s' "$ROUTES" | while read -r family destination gateway device; do
          echo "[ \\"\\$1\\" != $device ] || ip $family route replace $destination via $gateway dev $device"
        done
      } | put_file /etc/NetworkManager/dispatcher.d/90-lb4j 755
      """;

  private static final String IF_UP =
      """
      {
        cat << 'END'
      #!/bin/sh
      # Written by lb setup: the balancer is the gateway. ifup gives the interface and the family.
      END
        printf '%s' "$ROUTES" | while read -r family destination gateway device; do
          kind=inet
          [ "$family" = -4 ] || kind=inet6
          echo "[ \\"\\$IFACE \\$ADDRFAM\\" != '$device $kind' ] || ip $family route replace $destination via $gateway" \\
            "dev $device"
        done
      } | put_file /etc/network/if-up.d/lb4j 755
      """;

  private static final String ROUTE_FILES =
      """
      printf '%s' "$ROUTES" | cut -d ' ' -f 1,4 | sort -u | while read -r wanted interface; do
        path=/etc/sysconfig/network-scripts/route-$interface
        [ "$wanted" = -4 ] || path=/etc/sysconfig/network-scripts/route6-$interface
        {
          others "$path"
          echo '# lb4j begin'
          printf '%s' "$ROUTES" | while read -r family destination gateway device; do
            [ "$family $device" != "$wanted $interface" ] || echo "$destination via $gateway dev $device"
          done
          echo '# lb4j end'
        } | put_file "$path" 644
      done
      """;

  private final ServerNeeds needs;
  private final SetupFlavour flavour;

  LinuxFiles(ServerNeeds needs, SetupFlavour flavour) {
    this.needs = needs;
    this.flavour = flavour;
  }

  /** What refuses: files of others, and interfaces that the tool does not have. */
  String checks() {
    StringBuilder text = new StringBuilder();
    if (flavour == SetupFlavour.SYSTEMD_NETWORKD) {
      text.append(FIND_NETWORK_FILE);
    }
    if (flavour == SetupFlavour.NETPLAN) {
      text.append(FIND_NETPLAN_KIND);
    }
    text.append("new_file /etc/sysctl.d/90-lb4j.conf\n");
    if (!needs.virtualAddresses().isEmpty()) {
      text.append(checkAddresses());
    }
    if (!needs.gateways().isEmpty()) {
      text.append(checkRoutes());
    }
    return text.toString();
  }

  private String checkAddresses() {
    return switch (flavour) {
      case SYSTEMD_NETWORKD ->
          """
          LO_FILE=$(network_file lo)
          if [ -n "$LO_FILE" ]; then LO_FILE=$LO_FILE.d/90-lb4j.conf; else LO_FILE=90-lb4j-lo.network; fi
          new_file "/etc/systemd/network/$LO_FILE"
          """;
      case NETPLAN -> "new_file /etc/netplan/90-lb4j-lo.yaml\n";
      case NETWORKMANAGER -> "new_file /etc/NetworkManager/system-connections/lb4j-lo.nmconnection\n";
      case IFUPDOWN -> "new_file /etc/network/interfaces.d/lb4j\n";
      default -> IntStream.rangeClosed(1, needs.virtualAddresses(false).size())
          .mapToObj(i -> "new_file /etc/sysconfig/network-scripts/ifcfg-lo:" + i + "\n").collect(Collectors.joining());
    };
  }

  private String checkRoutes() {
    return switch (flavour) {
      case SYSTEMD_NETWORKD -> eachInterface(
          """
            file=$(network_file "$interface")
            [ -n "$file" ] || die "no .network file names $interface: systemd-networkd does not manage it"
            new_file "/etc/systemd/network/$file.d/90-lb4j.conf"
          """);
      case NETPLAN -> eachInterface(
          """
            [ -n "$(netplan_kind "$interface")" ] \\
              || die "no definition of netplan is called $interface: write the routes into the one that matches it"
            new_file "/etc/netplan/90-lb4j-$interface.yaml"
          """);
      case NETWORKMANAGER -> "new_file /etc/NetworkManager/dispatcher.d/90-lb4j\n";
      case IFUPDOWN -> "new_file /etc/network/if-up.d/lb4j\n";
      default -> eachInterface(
          """
            path=$ROOT/etc/sysconfig/network-scripts/route-$interface
            ! grep -Eqs '^[[:space:]]*ADDRESS[0-9]+=' "$path" \\
              || die "$path has ADDRESS0= lines, which do not mix with others: add the routes there by hand"
          """);
    };
  }

  private String eachInterface(String lines) {
    return needs.gateways().stream().map(gateway -> " \"$GATEWAY_INTERFACE" + (gateway.isV6() ? 6 : 4) + "\"")
        .collect(Collectors.joining("", "for interface in", "; do\n" + lines + "done\n"));
  }

  String text() {
    StringBuilder text = new StringBuilder("# From here on: the same for later starts.\nput_sysctls\n");
    if (!needs.virtualAddresses().isEmpty()) {
      text.append(addresses());
    }
    if (!needs.gateways().isEmpty()) {
      text.append(routes());
    }
    return text.append('\n').toString();
  }

  private String addresses() {
    return switch (flavour) {
      case SYSTEMD_NETWORKD -> networkd();
      case NETPLAN -> netplan();
      case NETWORKMANAGER -> networkManager();
      case IFUPDOWN -> ifupdown();
      default -> ifcfg();
    };
  }

  private String routes() {
    return switch (flavour) {
      case SYSTEMD_NETWORKD -> NETWORKD_ROUTES;
      case NETPLAN -> NETPLAN_ROUTES;
      case NETWORKMANAGER -> DISPATCHER;
      case IFUPDOWN -> IF_UP;
      default -> ROUTE_FILES;
    };
  }

  private String networkd() {
    String sections = needs.virtualAddresses().stream()
        .map(address -> "[Address]\nAddress=" + host(address) + "\n" + (address.isV6()
            ? "DuplicateAddressDetection=none\n" : ""))
        .collect(Collectors.joining("\n"));
    return "{\n  case $LO_FILE in *.network) printf '[Match]\\nName=lo\\n\\n' ;; esac\n  cat << 'END'\n"
        + sections + "END\n} | put_file \"/etc/systemd/network/$LO_FILE\" 644\n";
  }

  private String netplan() {
    String list = needs.virtualAddresses().stream()
        .map(address -> "        - \"" + host(address) + "\"\n").collect(Collectors.joining());
    return file("/etc/netplan/90-lb4j-lo.yaml", 600,
        "network:\n  version: 2\n  ethernets:\n    lo:\n      addresses:\n" + list);
  }

  /** A profile for lo has to hold lo's own addresses too. */
  private String networkManager() {
    return file("/etc/NetworkManager/system-connections/lb4j-lo.nmconnection", 600,
        "[connection]\nid=lb4j-lo\nuuid=6c62346a-0000-4000-8000-00000000006f\ntype=loopback\ninterface-name=lo\n\n"
            + "[loopback]\n\n"
            + "[ipv4]\nmethod=manual\n" + numbered("127.0.0.1/8", needs.virtualAddresses(false))
            + "\n[ipv6]\nmethod=manual\n" + numbered("::1/128", needs.virtualAddresses(true)));
  }

  private static String numbered(String first, List<IpAddress> addresses) {
    List<String> all = new ArrayList<>(List.of(first));
    addresses.forEach(address -> all.add(host(address)));
    return IntStream.range(0, all.size())
        .mapToObj(i -> "address" + (i + 1) + "=" + all.get(i) + "\n").collect(Collectors.joining());
  }

  private String ifupdown() {
    StringBuilder stanzas = new StringBuilder("# Written by lb setup: virtual addresses, beside lo's own.\nauto lo\n");
    for (IpAddress address : needs.virtualAddresses()) {
      stanzas.append("iface lo ").append(address.isV6() ? "inet6" : "inet").append(" static\n    address ")
          .append(host(address)).append('\n').append(address.isV6() ? "    dad-attempts 0\n" : "");
    }
    return file("/etc/network/interfaces.d/lb4j", 644, stanzas.toString())
        + """
        if ! others /etc/network/interfaces | grep -Eq \\
          '^[[:space:]]*source(-directory)?[[:space:]]+(/etc/network/)?interfaces\\.d(/\\*|/)?[[:space:]]*$'; then
          {
            others /etc/network/interfaces
            echo '# lb4j begin'
            echo 'source /etc/network/interfaces.d/lb4j'
            echo '# lb4j end'
          } | put_file /etc/network/interfaces 644
        fi
        """;
  }

  /** No BROADCAST, which a single address does not have. */
  private String ifcfg() {
    StringBuilder text = new StringBuilder();
    List<IpAddress> v4 = needs.virtualAddresses(false);
    for (int i = 0; i < v4.size(); i++) {
      String path = "/etc/sysconfig/network-scripts/ifcfg-lo:" + (i + 1);
      text.append(file(path, 644,
          "DEVICE=lo:" + (i + 1) + "\nIPADDR=" + v4.get(i) + "\nNETMASK=255.255.255.255\nONBOOT=yes\nNAME=lb4j\n"));
    }
    List<IpAddress> v6 = needs.virtualAddresses(true);
    if (!v6.isEmpty()) {
      String list = v6.stream().map(LinuxFiles::host).collect(Collectors.joining(" "));
      text.append("""
          path=/etc/sysconfig/network-scripts/ifcfg-lo
          {
            others "$path"
            echo '# lb4j begin'
            echo 'IPV6INIT=yes'
            echo "IPV6ADDR_SECONDARIES=\\"\\$IPV6ADDR_SECONDARIES %s\\""
            echo '# lb4j end'
          } | put_file "$path" 644
          """.formatted(list));
    }
    return text.toString();
  }

  private static String host(IpAddress address) {
    return address + (address.isV6() ? "/128" : "/32");
  }

  private static String file(String path, int mode, String content) {
    return "put_file " + path + " " + mode + " << 'END'\n" + content + "END\n";
  }
}

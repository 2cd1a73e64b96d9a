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
        [ -n "$file" ] || die "no .network file names $interface: systemd-networkd does not manage it"
        printf '%s' "$ROUTES" | while read -r family destination gateway device; do
          [ "$device" != "$interface" ] || printf '[Route]\\nDestination=%s\\nGateway=%s\\n\\n' "$destination" "$gateway"
        done | put_file "/etc/systemd/network/$file.d/90-lb4j.conf" 644
      done
      """;

  private static final String NETPLAN_ROUTES =
      """
      # netplan_kind INTERFACE: the section of netplan that its definition is in
      netplan_kind() {
        if [ -d "/sys/class/net/$1/bonding" ]; then echo bonds
        elif [ -d "/sys/class/net/$1/bridge" ]; then echo bridges
        elif [ -e "/proc/net/vlan/$1" ]; then echo vlans
        else echo ethernets; fi
      }

      printf '%s' "$ROUTES" | cut -d ' ' -f 4 | sort -u | while read -r interface; do
        # A definition of its own would take the interface from the one that netplan has.
        grep -Eqs "^ +[\\"']?${interface}[\\"']?:" "$ROOT"/etc/netplan/*.yaml "$ROOT"/run/netplan/*.yaml \\
          || die "no definition of netplan is called $interface: write the routes into the one that matches it"
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
        ! grep -Eqs '^[[:space:]]*ADDRESS[0-9]+=' "$ROOT$path" \\
          || die "$ROOT$path has ADDRESS0= lines, which do not mix with others: add the routes there by hand"
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

  private static final String OTHERS =
      """
      # others PATH: a file's lines but for those of an earlier run
      others() {
        [ ! -f "$ROOT$1" ] || awk '/^# lb4j begin$/ { own = 1 } !own { print } /^# lb4j end$/ { own = 0 }' "$ROOT$1"
      }

      """;

  private final ServerNeeds needs;
  private final SetupFlavour flavour;

  LinuxFiles(ServerNeeds needs, SetupFlavour flavour) {
    this.needs = needs;
    this.flavour = flavour;
  }

  String text() {
    boolean holds = !needs.virtualAddresses().isEmpty();
    boolean routes = !needs.gateways().isEmpty();
    StringBuilder text = new StringBuilder("# From here on: the same for later starts.\nput_sysctls\n");
    if (flavour == SetupFlavour.SYSTEMD_NETWORKD) {
      text.append(FIND_NETWORK_FILE);
    }
    if (flavour == SetupFlavour.IFCFG) {
      text.append(OTHERS);
    }
    if (holds) {
      text.append(addresses());
    }
    if (routes) {
      text.append(routes());
    }
    return text.append('\n').append(reload()).toString();
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

  /** Tells a running tool of its new files; what they say is done already. */
  private String reload() {
    String program =
        switch (flavour) {
          case SYSTEMD_NETWORKD -> "networkctl reload";
          case NETPLAN -> "netplan generate";
          case NETWORKMANAGER -> "nmcli connection reload";
          default -> "";
        };
    if (program.isEmpty()) {
      return "";
    }
    String word = program.substring(0, program.indexOf(' '));
    return "if [ \"$LIVE\" = yes ] && [ -z \"$ROOT\" ] && command -v " + word + " > /dev/null; then\n"
        + "  " + program + " < /dev/null || warn \"'" + program + "' failed: the files count from the next start on\"\nfi\n";
  }

  private String networkd() {
    String sections = needs.virtualAddresses().stream()
        .map(address -> "[Address]\nAddress=" + host(address) + "\n" + (address.isV6()
            ? "DuplicateAddressDetection=none\n" : ""))
        .collect(Collectors.joining("\n"));
    return "file=$(network_file lo)\n"
        + "if [ -n \"$file\" ]; then file=$file.d/90-lb4j.conf; else file=90-lb4j-lo.network; fi\n"
        + "{\n  case $file in *.network) printf '[Match]\\nName=lo\\n\\n' ;; esac\n  cat << 'END'\n"
        + sections + "END\n} | put_file \"/etc/systemd/network/$file\" 644\n";
  }

  private String netplan() {
    String list = needs.virtualAddresses().stream()
        .map(address -> "        - \"" + host(address) + "\"\n").collect(Collectors.joining());
    return file("/etc/netplan/90-lb4j-lo.yaml", 600,
        "network:\n  version: 2\n  ethernets:\n    lo:\n      addresses:\n" + list);
  }

  /** A profile for lo has to hold lo's own addresses too. */
  private String networkManager() {
    return "new_file /etc/NetworkManager/system-connections/lb4j-lo.nmconnection\n"
        + file("/etc/NetworkManager/system-connections/lb4j-lo.nmconnection", 600,
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
        interfaces=$ROOT/etc/network/interfaces
        if noted files /etc/network/interfaces || ! grep -Eqs \\
          '^ *(source|source-directory) +(/etc/network/)?interfaces\\.d(/\\*|/)? *$' "$interfaces"; then
          { grep -vxF 'source /etc/network/interfaces.d/lb4j' "$interfaces" || :
            echo 'source /etc/network/interfaces.d/lb4j'; } | put_file /etc/network/interfaces 644
        fi
        """;
  }

  /** No BROADCAST, which a single address does not have. */
  private String ifcfg() {
    StringBuilder text = new StringBuilder();
    List<IpAddress> v4 = needs.virtualAddresses(false);
    for (int i = 0; i < v4.size(); i++) {
      String path = "/etc/sysconfig/network-scripts/ifcfg-lo:" + (i + 1);
      text.append("new_file ").append(path).append('\n').append(file(path, 644,
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

package io.lb4j.pcap.host;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import java.io.IOException;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/**
 * Looks at what the host's kernel does with frames that a port also sees: it answers for addresses it holds, and
 * forwards what is not for it. {@link KernelShield} keeps them from it. Safe from any thread.
 */
public final class HostCheck {
  private static final Path PROC_SYS_NET = Path.of("/proc/sys/net");
  private static final String STRICT = "1";

  private final BalancerAddresses addresses;
  private final Collection<String> interfaces;
  private final Path sysctls;
  private final List<Finding> findings = new ArrayList<>();

  private HostCheck(BalancerAddresses addresses, Collection<String> interfaces, Path sysctls) {
    this.addresses = addresses;
    this.interfaces = interfaces;
    this.sysctls = sysctls;
  }

  /** What is wrong. */
  public enum Problem {
    /** The kernel holds an address that is the balancer's alone: it answers clients itself, with TCP resets. */
    ADDRESS_HELD,
    /** The kernel forwards packets: frames sent to our MAC address leave twice. */
    FORWARDING,
    /** The kernel drops what it would answer by another interface: answers to monitors may be lost. */
    REVERSE_PATH_FILTER
  }

  /**
   * One thing found. Immutable, shared.
   *
   * @param problem what is wrong
   * @param subject the address, or the kernel's setting
   * @param interfaceName where; empty when it holds for all interfaces
   * @param effect what will happen, as a sentence without a full stop
   * @param remedy what to do, as a command
   */
  public record Finding(Problem problem, String subject, String interfaceName, String effect, String remedy) {
    @Override
    public String toString() {
      return subject + (interfaceName.isEmpty() ? "" : " on " + interfaceName) + ": " + effect + "; " + remedy;
    }
  }

  /**
   * Looks at this host, in the network namespace of the process.
   *
   * @param addresses of the balancer
   * @param interfaces the balancer's, by the system's names
   * @return what was found, addresses first; empty when nothing was
   * @throws IOException when the system does not tell
   */
  public static List<Finding> run(BalancerAddresses addresses, Collection<String> interfaces) throws IOException {
    return run(addresses, interfaces, PROC_SYS_NET);
  }

  static List<Finding> run(BalancerAddresses addresses, Collection<String> interfaces, Path sysctls)
      throws IOException {
    HostCheck check = new HostCheck(addresses, interfaces, sysctls);
    check.heldAddresses();
    check.forwarding(false);
    check.forwarding(true);
    check.reversePathFilters();
    return check.findings;
  }

  private void heldAddresses() throws SocketException {
    for (NetworkInterface device : NetworkInterface.networkInterfaces().toList()) {
      for (InterfaceAddress held : device.getInterfaceAddresses()) {
        IpAddress address = IpAddress.of(held.getAddress().getAddress());
        if (addresses.own().stream().anyMatch(own -> own.contains(address))) {
          findings.add(
              new Finding(
                  Problem.ADDRESS_HELD,
                  address.toString(),
                  device.getName(),
                  "the kernel has this address and answers clients itself: with resets where nothing listens, with the"
                      + " wrong service where something does",
                  "ip addr del " + address + "/" + held.getNetworkPrefixLength() + " dev " + device.getName()));
        }
      }
    }
  }

  /** IPv6 is forwarded on all interfaces or on none, IPv4 by each interface's own setting. */
  private void forwarding(boolean v6) throws IOException {
    String all = v6 ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward";
    if (!hasFamily(v6)) {
      return;
    }
    if (!isOff(all)) {
      addForwarding(v6, all, "");
      return;
    }
    for (String name : interfaces) {
      String file = v6 ? "ipv6/conf/" + name + "/force_forwarding" : "ipv4/conf/" + name + "/forwarding";
      if (!isOff(file)) {
        addForwarding(v6, file, name);
      }
    }
  }

  /** Whether there is anything of a family to forward; with no address at all the host is asked about itself. */
  private boolean hasFamily(boolean v6) {
    Stream<IpPrefix> all = Stream.concat(addresses.own().stream(), addresses.inside().stream());
    return addresses.own().isEmpty() || all.anyMatch(prefix -> prefix.address().isV6() == v6);
  }

  private void addForwarding(boolean v6, String file, String interfaceName) {
    String effect =
        addresses.inside().isEmpty()
            ? "the kernel forwards packets: it sends those for virtual addresses a second time, or tells clients that"
                + " they cannot be reached"
            : "the kernel forwards packets: those of servers leave twice, by the balancer and untranslated by the kernel";
    String setting = "net." + file.replace('.', '\0').replace('/', '.').replace('\0', '/');
    findings.add(
        new Finding(Problem.FORWARDING, setting, interfaceName, effect, "sysctl -w " + setting + "=0"));
  }

  /** The balancer's frames are not filtered; the kernel's are, those of monitors among them. */
  private void reversePathFilters() throws IOException {
    if (interfaces.size() < 2) {
      return;
    }
    String all = read("ipv4/conf/all/rp_filter");
    for (String name : interfaces) {
      String own = read("ipv4/conf/" + name + "/rp_filter");
      String setting = "net.ipv4.conf." + name.replace('.', '/') + ".rp_filter";
      if (all.compareTo(STRICT) <= 0 && own.compareTo(STRICT) <= 0 && (all + own).contains(STRICT)) {
        findings.add(
            new Finding(
                Problem.REVERSE_PATH_FILTER,
                setting,
                name,
                "the kernel drops answers to monitors that come in by another interface than its own route to the server",
                "sysctl -w " + setting + "=2"));
      }
    }
  }

  private boolean isOff(String file) throws IOException {
    String value = read(file);
    return value.isEmpty() || value.equals("0");
  }

  private String read(String file) throws IOException {
    Path path = sysctls.resolve(file);
    return Files.exists(path) ? Files.readString(path).strip() : "";
  }
}

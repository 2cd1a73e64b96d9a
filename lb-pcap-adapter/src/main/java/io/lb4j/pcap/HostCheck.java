package io.lb4j.pcap;

import io.lb4j.address.IpAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Looks at what the host's kernel does with frames that a port also sees: it answers for addresses it holds, and
 * forwards what is not for it. Safe from any thread.
 */
public final class HostCheck {
  private static final Path PROC_SYS_NET = Path.of("/proc/sys/net");

  private HostCheck() {}

  /** What is wrong. */
  public enum Problem {
    /** The kernel holds a virtual address: it answers clients itself, with TCP resets. */
    ADDRESS_HELD,
    /** The kernel forwards packets: frames sent to our MAC address leave twice. */
    FORWARDING
  }

  /**
   * One thing found. Immutable, shared.
   *
   * @param problem what is wrong
   * @param subject the address, or the kernel's setting
   * @param interfaceName where; empty when it holds for all interfaces
   * @param remedy what to do, as a sentence without a full stop
   */
  public record Finding(Problem problem, String subject, String interfaceName, String remedy) {}

  /**
   * Looks at this host, in the network namespace of the process.
   *
   * @param virtualAddresses addresses that the balancer alone should answer for
   * @return what was found, addresses first; empty when nothing was
   * @throws IOException when the system does not tell
   */
  public static List<Finding> run(Collection<IpAddress> virtualAddresses) throws IOException {
    return run(virtualAddresses, PROC_SYS_NET);
  }

  static List<Finding> run(Collection<IpAddress> virtualAddresses, Path sysctls) throws IOException {
    List<Finding> findings = new ArrayList<>();
    for (IpAddress address : virtualAddresses) {
      checkAddress(findings, address);
    }
    checkForwarding(findings, sysctls, "ipv4/ip_forward", "net.ipv4.ip_forward");
    checkForwarding(findings, sysctls, "ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding");
    return findings;
  }

  private static void checkAddress(List<Finding> findings, IpAddress address) throws SocketException {
    InetAddress asked = address.toInetAddress();
    NetworkInterface holder = NetworkInterface.getByInetAddress(asked);
    if (holder != null) {
      String command = "ip addr del " + address + " dev " + holder.getName();
      String remedy = "remove it: " + command + ", or drop frames for it at ingress with an nftables netdev rule";
      findings.add(new Finding(Problem.ADDRESS_HELD, address.toString(), holder.getName(), remedy));
    }
  }

  private static void checkForwarding(List<Finding> findings, Path sysctls, String file, String setting)
      throws IOException {
    Path path = sysctls.resolve(file);
    if (Files.exists(path) && !Files.readString(path).strip().equals("0")) {
      String remedy = "sysctl -w " + setting + "=0, unless the host has to route other traffic";
      findings.add(new Finding(Problem.FORWARDING, setting, "", remedy));
    }
  }
}

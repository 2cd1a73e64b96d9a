package io.lb4j.dsr;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.service.Machine;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.setup.ServerNeeds;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What Direct Server Return asks of a real server's machine: the virtual addresses on its loopback interface, silently.
 *
 * <pre>{@code
 * ServerNeeds needs = DsrServerSetup.needs("rs1", services);
 * String script = SetupScript.apply(needs, SetupTarget.of(SetupFlavour.NETPLAN));
 * String back = SetupScript.undo(needs, SetupTarget.of(SetupFlavour.NETPLAN));
 * }</pre>
 *
 * <p>Pure functions; safe from any thread.
 */
public final class DsrServerSetup {
  private DsrServerSetup() {}

  /**
   * What all services of this method ask of a machine. A server of the same name in several services is one machine,
   * with several addresses where they differ; so are servers of several names with one address.
   *
   * @param server the server's name
   * @param services those of other methods ask nothing, but can say which names are one machine
   * @return its addresses and the virtual ones
   * @throws ConfigurationException when no such service has the server, or one serves a whole prefix
   */
  public static ServerNeeds needs(String server, Collection<VirtualService> services) {
    Machine machine = Machine.of(server, services);
    List<IpAddress> addresses = new ArrayList<>();
    List<IpAddress> virtualAddresses = new ArrayList<>();
    for (VirtualService service : services) {
      if (!(service.forwarding() instanceof DirectServerReturn)) {
        continue;
      }
      for (RealServer candidate : service.servers()) {
        if (machine.is(candidate)) {
          addresses.add(candidate.address());
          service.vips().forEach(vip -> virtualAddresses.add(single(service, vip)));
        }
      }
    }
    if (addresses.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.UNKNOWN_NAME, "server", server, "no service of Direct Server Return has a server of this name");
    }
    return new ServerNeeds(server, "Direct Server Return", addresses, virtualAddresses, List.of());
  }

  private static IpAddress single(VirtualService service, IpPrefix vip) {
    if (!vip.isHost()) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED,
          "service " + service.name() + ": vip",
          vip,
          "no script holds a whole prefix; 'ip route add local " + vip + " dev lo' does on Linux, with the ARP settings"
              + " that the script of a single address makes");
    }
    return vip.address();
  }
}

package io.lb4j.pcap.xdp;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.port.SteeredPrefixes;
import io.lb4j.verify.Verifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What frames a port claims from the kernel: those of prefixes, and of those that are sent to its MAC addresses what is
 * not to the host. Owned by the control side, under the port's lock; the steering program reads the map.
 */
final class Claims {
  private final PrefixMap map;
  private final Set<MacAddress> macs = new HashSet<>();
  private SteeredPrefixes prefixes = SteeredPrefixes.NONE;

  Claims(PrefixMap map, MacAddress device) {
    this.map = map;
    macs.add(device);
  }

  /** Claims these prefixes in place of all earlier ones, and looks up which addresses the host has now. */
  void steer(SteeredPrefixes wanted) {
    map.set(wanted, left(), macs);
    prefixes = wanted;
  }

  /** Another MAC address of ours. */
  void add(MacAddress mac) {
    macs.add(mac);
    steer(prefixes);
  }

  /**
   * The host's addresses, and those of the clients as whom a verification beside us asks: it has to see the answers.
   */
  private static List<IpAddress> left() {
    List<IpAddress> addresses = new ArrayList<>(Verifier.USUAL_CLIENTS);
    addresses.addAll(NetDevice.hostAddresses());
    return addresses;
  }
}

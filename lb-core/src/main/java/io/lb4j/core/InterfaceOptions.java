package io.lb4j.core;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.port.Port;
import io.lb4j.port.PortTraits;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An interface of the balancer while it is being built. What is not set comes from the port; without a port, frames are
 * handed to the data path by the caller. Owned by the caller of the builder.
 */
public final class InterfaceOptions {
  private static final int DEFAULT_MTU = 1500;

  private final String name;
  private final List<InterfaceAddress> addresses = new ArrayList<>();
  private final List<IpAddress> gatewayAddresses = new ArrayList<>();
  private @Nullable Port port;
  private @Nullable MacAddress mac;
  private @Nullable Integer mtu;
  private @Nullable Boolean hostStack;

  InterfaceOptions(String name) {
    this.name = name;
  }

  /**
   * The port that frames come from and go to; closed with the balancer.
   *
   * @param newPort open, and used by nobody else
   * @return this
   */
  public InterfaceOptions port(Port newPort) {
    this.port = newPort;
    return this;
  }

  /**
   * The address that our frames carry as source. Unlike the device's own it is joined as a further unicast address.
   *
   * @param newMac for example {@code 02:00:00:00:00:01}
   * @return this
   */
  public InterfaceOptions mac(String newMac) {
    try {
      return mac(MacAddress.of(newMac));
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE, "interface " + name + ": mac", newMac, e.getMessage());
    }
  }

  /**
   * The address that our frames carry as source.
   *
   * @param newMac a unicast address
   * @return this
   */
  public InterfaceOptions mac(MacAddress newMac) {
    if (newMac.isMulticast() || newMac.value() == 0) {
      throw new ConfigurationException(
          ConfigurationError.NOT_UNICAST, "interface " + name + ": mac", newMac, "no station has this address");
    }
    this.mac = newMac;
    return this;
  }

  /**
   * Adds addresses of the balancer on this interface, with the lengths of their networks.
   *
   * @param more for example {@code 192.0.2.5/24}
   * @return this
   */
  public InterfaceOptions address(String... more) {
    for (String text : more) {
      try {
        addresses.add(InterfaceAddress.of(text));
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException(
            ConfigurationError.NOT_READABLE, "interface " + name + ": address", text, e.getMessage());
      }
    }
    return this;
  }

  /**
   * Adds addresses that hosts on the link may have as their gateway. Each is the balancer's alone like a virtual
   * address, claimed, announced and answered for, so that it moves with the active one of two balancers; it serves
   * nothing.
   *
   * @param more in a subnet of the interface, or IPv6 link-local; for example {@code 192.0.2.1}
   * @return this
   */
  public InterfaceOptions gatewayAddress(String... more) {
    for (String text : more) {
      gatewayAddresses.add(gateway(text));
    }
    return this;
  }

  private IpAddress gateway(String text) {
    String setting = "interface " + name + ": gateway-addresses";
    try {
      IpAddress address = IpAddress.of(text);
      if (address.isMulticast() || address.isUnspecified() || address.isLoopback()) {
        throw new ConfigurationException(ConfigurationError.NOT_UNICAST, setting, text, "no host has this address");
      }
      return address;
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(ConfigurationError.NOT_READABLE, setting, text, e.getMessage());
    }
  }

  /**
   * The largest IP packet.
   *
   * @param bytes 576..65535
   * @return this
   */
  public InterfaceOptions mtu(int bytes) {
    if (bytes < 576 || bytes > 65535) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "interface " + name + ": mtu", bytes, "not in 576..65535");
    }
    this.mtu = bytes;
    return this;
  }

  /**
   * Whether a kernel beside us answers ARP, neighbour discovery and ICMP for the interface addresses.
   *
   * @param present false: the balancer answers
   * @return this
   */
  public InterfaceOptions hostStack(boolean present) {
    this.hostStack = present;
    return this;
  }

  @Nullable Port port() {
    return port;
  }

  /** A frame that the device refuses is lost without an answer, since the balancer took it for one that fits. */
  Optional<Finding> lint() {
    int most = port == null ? Integer.MAX_VALUE : port.traits().mtu();
    return mtu == null || mtu <= most
        ? Optional.empty()
        : Optional.of(ConfigurationWarning.MTU_ABOVE_DEVICE.at(
            "interface " + name + ": mtu", mtu + " bytes are more than the device's " + most));
  }

  Link link(int index) {
    @Nullable PortTraits traits = port == null ? null : port.traits();
    MacAddress effectiveMac = mac != null ? mac : traits != null ? traits.mac() : null;
    if (effectiveMac == null) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "interface " + name + ": mac", "none", "an interface without port needs one");
    }
    List<InterfaceAddress> effective = addresses.isEmpty() && traits != null ? traits.addresses() : addresses;
    return new Link(
        index,
        name,
        effectiveMac,
        mtu != null ? mtu : traits != null ? traits.mtu() : DEFAULT_MTU,
        effective,
        hostStack != null ? hostStack : traits != null && traits.hostStack(),
        traits != null && traits.carriesPartialChecksums(),
        traits != null && traits.carriesGso(),
        gatewayAddresses);
  }
}

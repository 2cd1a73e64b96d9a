package io.lb4j.setup;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** How a set-up is made, and who keeps it over a restart of the machine. Immutable, shared. */
public enum SetupFlavour {
  /** At once, until the machine restarts. */
  IPROUTE2(OperatingSystem.LINUX),
  /** Kept in {@code /etc/systemd/network}. */
  SYSTEMD_NETWORKD(OperatingSystem.LINUX),
  /** Kept in {@code /etc/netplan}. */
  NETPLAN(OperatingSystem.LINUX),
  /** Kept in {@code /etc/NetworkManager}. */
  NETWORKMANAGER(OperatingSystem.LINUX),
  /** Kept in {@code /etc/network}. */
  IFUPDOWN(OperatingSystem.LINUX),
  /** Kept in {@code /etc/sysconfig/network-scripts}. */
  IFCFG(OperatingSystem.LINUX),
  /** A PowerShell script; Windows keeps what it does. */
  POWERSHELL(OperatingSystem.WINDOWS),
  /** A batch file of netsh commands; Windows keeps what they do. */
  NETSH(OperatingSystem.WINDOWS);

  private final OperatingSystem operatingSystem;

  SetupFlavour(OperatingSystem operatingSystem) {
    this.operatingSystem = operatingSystem;
  }

  /**
   * Where it works.
   *
   * @return the operating system
   */
  public OperatingSystem operatingSystem() {
    return operatingSystem;
  }

  /**
   * Its name on a command line.
   *
   * @return for example {@code systemd-networkd}
   */
  public String key() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The flavours of an operating system.
   *
   * @param system the operating system
   * @return the default first
   */
  public static List<SetupFlavour> of(OperatingSystem system) {
    return Stream.of(values()).filter(flavour -> flavour.operatingSystem == system).toList();
  }

  /** Whether files have to be written so that the set-up outlives a restart. */
  boolean isKeptInFiles() {
    return operatingSystem == OperatingSystem.LINUX && this != IPROUTE2;
  }
}

package io.lb4j.examples.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Runs what a distribution sets its network up with, in a namespace: with mounts of its own, so that it sees the files
 * of a folder as its configuration, and the machine's own never.
 */
final class NetworkTool {
  private static final String NETWORKD = "/lib/systemd/systemd-networkd";

  private NetworkTool() {}

  /** Skips the test where the tool is not installed. */
  static void require(String flavour) {
    boolean there =
        switch (flavour) {
          case "ifupdown" -> Lab.installed("ifup");
          case "netplan" -> Lab.installed("netplan") && Files.isExecutable(Path.of(NETWORKD));
          default -> Files.isExecutable(Path.of(NETWORKD));
        };
    Assumptions.assumeTrue(there, flavour + " is not installed");
  }

  /**
   * The commands that start a tool and end it when it has done its work.
   *
   * @param flavour as {@code lb setup} names it
   * @param root where its files are
   * @param until a command that succeeds then
   * @param device the interface to be set up
   */
  static String start(String flavour, Path root, String until, String device) {
    String inside =
        switch (flavour) {
          case "ifupdown" -> ifup(root, device);
          case "netplan" -> "netplan generate --root-dir " + root + "; " + networkd(root, until);
          default -> networkd(root, until);
        };
    return "unshare -m sh -ec '" + inside.replace("'", "'\\''") + "'";
  }

  /** Without udev, which is what a /sys that cannot be written tells it; no bus is needed. */
  private static String networkd(Path root, String until) {
    return """
        mount -o remount,ro /sys
        mount -t tmpfs tmpfs /run
        mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/network
        chmod -R a+rwX /run/systemd
        mount -t tmpfs tmpfs /etc/systemd/network
        [ ! -d %1$s/etc/systemd/network ] || cp -r %1$s/etc/systemd/network/. /etc/systemd/network/
        [ ! -d %1$s/run/systemd/network ] || { rm -f /etc/systemd/network/*.network
          cp -r %1$s/run/systemd/network/. /run/systemd/network/; }
        chmod -R a+rX /etc/systemd/network /run/systemd/network
        %2$s > /run/networkd.log 2>&1 &
        pid=$!
        tries=0
        until %3$s; do
          tries=$((tries + 1))
          [ $tries -lt 150 ] || { kill $pid; tail -20 /run/networkd.log; exit 1; }
          sleep 0.1
        done
        kill $pid
        """.formatted(root, NETWORKD, until);
  }

  private static String ifup(Path root, String device) {
    return """
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /etc/network
        mkdir -p /run/network /etc/network/if-pre-up.d /etc/network/if-up.d
        cp -r %s/etc/network/. /etc/network/
        ifup -v %s
        """.formatted(root, device);
  }
}

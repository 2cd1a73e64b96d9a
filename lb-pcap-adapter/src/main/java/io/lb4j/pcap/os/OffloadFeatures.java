package io.lb4j.pcap.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The device's offloads that change what a port sees: merged segments, and frames whose checksum or segmentation was
 * left to a device that does not exist. Immutable, shared.
 *
 * @param driver the driver's name; empty when it is not known
 * @param receiveMerging whether GRO or LRO joins segments
 */
public record OffloadFeatures(String driver, boolean receiveMerging) {
  // <linux/ethtool.h>
  private static final int ETHTOOL_GDRVINFO = 0x3;
  private static final int ETHTOOL_GTXCSUM = 0x16;
  private static final int ETHTOOL_GTSO = 0x1e;
  private static final int ETHTOOL_GGSO = 0x23;
  private static final int ETHTOOL_GFLAGS = 0x25;
  private static final int ETHTOOL_GGRO = 0x2b;
  private static final int ETH_FLAG_LRO = 1 << 15;
  private static final int DRVINFO_SIZE = 196;
  private static final int DRVINFO_NAME_SIZE = 32;

  /** A driver whose devices are two ends of a wire that does not exist. */
  public static final String VETH = "veth";

  private static final Set<String> SOFTWARE_LINKS =
      Set.of(VETH, "virtio_net", "tun", "bridge", "macvlan", "ipvlan", "vmxnet3", "hv_netvsc", "xen_netfront");

  public static OffloadFeatures of(NetDevice device) {
    boolean gro = value(device, ETHTOOL_GGRO) != 0;
    boolean lro = mergesForGood(device);
    return new OffloadFeatures(driver(device), gro || lro);
  }

  /** Whether the device cuts TCP super-frames into segments itself. */
  public static boolean segments(NetDevice device) {
    return value(device, ETHTOOL_GTSO) != 0;
  }

  /** Whether the device merges segments in a way that cannot be undone (LRO). */
  public static boolean mergesForGood(NetDevice device) {
    return (value(device, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) != 0;
  }

  /** Whether checksums of frames that are sent through the device are left to it. */
  public static boolean leavesChecksums(NetDevice device) {
    return value(device, ETHTOOL_GTXCSUM) != 0;
  }

  /** Whether cutting frames that are sent through the device is left to it. */
  public static boolean leavesSegmenting(NetDevice device) {
    return segments(device) || value(device, ETHTOOL_GGSO) != 0;
  }

  /** Whether what a device of this driver receives may never have been on a wire. */
  public boolean isSoftwareLink() {
    return SOFTWARE_LINKS.contains(driver);
  }

  /** The name of a veth's other end; empty when that is in another network namespace, and for other devices. */
  public String otherEnd(NetDevice device) {
    int index = driver.equals(VETH) ? VethPeer.indexOf(device.index()) : 0;
    return index == 0 ? "" : NetDevice.nameOf(index);
  }

  private static int value(NetDevice device, int command) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(8, 8); // ethtool_value
      request.set(Native.INT, 0, command);
      return device.ethtool(request) ? request.get(Native.INT, 4) : 0;
    }
  }

  private static String driver(NetDevice device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(DRVINFO_SIZE, 8);
      request.set(Native.INT, 0, ETHTOOL_GDRVINFO);
      if (!device.ethtool(request)) {
        return "";
      }
      return request.asSlice(4, DRVINFO_NAME_SIZE).getString(0, StandardCharsets.US_ASCII);
    }
  }

  public List<String> warnings(String device) {
    List<String> warnings = new ArrayList<>();
    if (receiveMerging) {
      warnings.add(
          device + ": receive offload (GRO or LRO) is on: TCP segments may arrive merged into frames longer than the"
              + " MTU, which cannot be sent on; remedy: ethtool -K " + device + " gro off lro off");
    }
    if (isSoftwareLink()) {
      warnings.add(
          device + ": driver " + driver + " hands over what a host on the other side sends without a wire between:"
              + " frames may have unfinished checksums or be longer than the MTU, and libpcap does not tell which;"
              + " remedy, on the sender's device: ethtool -K DEVICE tx off tso off gso off");
    }
    return List.copyOf(warnings);
  }

  /** What to say about a frame that is longer than the MTU allows. */
  public static String superFrame(String device, int length, int mtu) {
    return device + ": received a frame of " + length + " bytes over an MTU of " + mtu + ": segments arrive merged or"
        + " uncut; such frames are marked GSO and cannot be sent on; remedy: ethtool -K " + device
        + " gro off lro off, and on a sender without a wire between: ethtool -K DEVICE tso off gso off tx off";
  }
}

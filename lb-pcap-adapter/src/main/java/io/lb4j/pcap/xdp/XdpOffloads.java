package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.OffloadFeatures;
import io.lb4j.port.PortException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a device and the other end of a veth are asked to do to frames that AF_XDP cannot carry: leave their checksums
 * unfinished, or several in one. A driver that runs the program cuts and separates them itself; the kernel's stack runs
 * it too late for that. Owned by the control thread.
 */
final class XdpOffloads {
  private static final String VIRTIO = "virtio_net"; // a driver that has checksums finished while it runs a program

  private final NetDevice device;
  private final boolean nativeMode;
  private final OffloadFeatures features;
  private final List<String> warnings = new ArrayList<>();

  private XdpOffloads(NetDevice device, boolean nativeMode) {
    this.device = device;
    this.nativeMode = nativeMode;
    this.features = OffloadFeatures.of(device);
  }

  /** What to switch off, as sentences with commands. */
  static List<String> warnings(NetDevice device, boolean nativeMode) {
    XdpOffloads offloads = new XdpOffloads(device, nativeMode);
    offloads.lookAtReceiving();
    offloads.lookAtSenders();
    return offloads.warnings;
  }

  private void lookAtReceiving() {
    if (nativeMode ? OffloadFeatures.mergesForGood(device) : features.receiveMerging()) {
      warnings.add(
          device.name() + ": receive offload (GRO or LRO) is on: TCP segments may arrive merged into frames longer than"
              + " the MTU, which are missed or cannot be sent on; remedy: ethtool -K " + device.name()
              + " gro off lro off");
    }
  }

  private void lookAtSenders() {
    if (features.driver().equals(OffloadFeatures.VETH)) {
      lookAtOtherEnd();
    } else if (features.isSoftwareLink() && !(nativeMode && features.driver().equals(VIRTIO))) {
      warnOfSender("driver " + features.driver() + " hands over", "on the sender's device", "DEVICE", true, true);
    }
  }

  private void lookAtOtherEnd() {
    String name = features.otherEnd(device);
    try (NetDevice end = name.isEmpty() ? null : NetDevice.open(name)) {
      if (end != null) {
        boolean sums = OffloadFeatures.leavesChecksums(end);
        boolean segments = !nativeMode && OffloadFeatures.leavesSegmenting(end);
        if (sums || segments) {
          warnOfSender("its other end " + name + " hands over", "", name, sums, segments);
        }
        return;
      }
    } catch (PortException e) {
      // it was just removed: as if it were elsewhere
    }
    warnOfSender("its other end hands over", "in the network namespace where that is", "DEVICE", true, !nativeMode);
  }

  private void warnOfSender(String who, String where, String sender, boolean sums, boolean segments) {
    String what = sums && segments ? "with unfinished checksums or longer than the MTU"
        : sums ? "with unfinished checksums" : "longer than the MTU";
    warnings.add(
        device.name() + ": " + who + " frames of senders without a wire between, " + what + ", and AF_XDP does not tell"
            + " which: receivers drop them; remedy" + (where.isEmpty() ? "" : ", " + where) + ": ethtool -K " + sender
            + (sums ? " tx off" : "") + (segments ? " tso off gso off" : ""));
  }
}

package io.lb4j.pcap;

import io.lb4j.pcap.os.NetDevice;
import io.lb4j.pcap.os.OffloadFeatures;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands in the way of forwarding frames through a libpcap port: found at opening, or by the worker while frames
 * come. Each is logged once. Read from any thread; the methods that find something are the worker's.
 */
final class PcapWarnings {
  private static final Logger LOGGER = LoggerFactory.getLogger(PcapPort.class);

  private final NetDevice device;
  private final PcapHandle handle;
  private final List<String> atOpening;
  private volatile String superFrame; // written by the worker, once
  private boolean receiveErrorLogged; // the worker's

  PcapWarnings(NetDevice device, PcapHandle handle) {
    this.device = device;
    this.handle = handle;
    this.atOpening = OffloadFeatures.of(device).warnings(device.name());
  }

  void logAll() {
    all().forEach(LOGGER::warn);
  }

  List<String> all() {
    String found = superFrame;
    if (found == null) {
      return atOpening;
    }
    List<String> all = new ArrayList<>(atOpening);
    all.add(found);
    return List.copyOf(all);
  }

  /** A frame over the MTU came. */
  void onSuperFrame(int length) {
    if (superFrame == null) {
      superFrame = OffloadFeatures.superFrame(device.name(), length, device.mtu());
      LOGGER.warn(superFrame);
    }
  }

  /** libpcap refuses to receive: the interface is down or gone, which the status says. */
  void onReceiveError(int answer) {
    if (!receiveErrorLogged) {
      receiveErrorLogged = true;
      LOGGER.warn(
          "{}: pcap_next_ex answered {}: {}; status {}", device.name(), answer, handle.error(), device.status());
    }
  }
}

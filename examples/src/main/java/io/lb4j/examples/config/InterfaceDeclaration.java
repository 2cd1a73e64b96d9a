package io.lb4j.examples.config;

import io.lb4j.address.MacAddress;
import io.lb4j.core.InterfaceOptions;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.pcap.live.LivePorts;
import io.lb4j.pcap.packet.Latency;
import java.util.List;
import java.util.Optional;

/**
 * An interface as the file declares it. Immutable, shared.
 *
 * @param name the Linux interface, or the label of {@code --in} and {@code --out}
 * @param mac nothing when the live interface's own is used
 * @param addresses the balancer's own with their prefix length; empty when the live interface's are used
 * @param mtu 0 when the live interface's is used, or 1500 where there is none
 * @param gatewayAddresses that hosts on the link have as their gateway and only the active balancer holds
 * @param live how a live interface is opened
 */
public record InterfaceDeclaration(
    String name, Optional<MacAddress> mac, List<String> addresses, int mtu, List<String> gatewayAddresses, Live live) {
  /** Keeps copies of the addresses. */
  public InterfaceDeclaration {
    addresses = List.copyOf(addresses);
    gatewayAddresses = List.copyOf(gatewayAddresses);
  }

  /**
   * How a live interface is opened. Immutable, shared.
   *
   * @param io how frames are exchanged with it
   * @param latency what is favoured
   * @param queues over how many frames are divided
   */
  public record Live(LiveIo io, Latency latency, int queues) {
    /** What applies where the file says nothing. */
    public static final Live DEFAULTS = new Live(LiveIo.AUTO, Latency.AUTO, 1);
  }

  /**
   * Sets what is the same for a live and an embedded interface.
   *
   * @param options of the interface
   * @return these options
   */
  public InterfaceOptions declare(InterfaceOptions options) {
    options.gatewayAddress(gatewayAddresses.toArray(String[]::new));
    return mtu > 0 ? options.mtu(mtu) : options;
  }

  /**
   * The live interface as declared.
   *
   * @return to be opened
   */
  public LivePorts port() {
    LivePorts options = LivePorts.of(name).io(live.io()).latency(live.latency()).queues(live.queues());
    mac.ifPresent(options::mac);
    return options;
  }
}

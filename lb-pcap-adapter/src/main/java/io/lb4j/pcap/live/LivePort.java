package io.lb4j.pcap.live;

import io.lb4j.port.Port;
import java.util.List;

/**
 * An interface that was opened. Immutable, shared; the port is whose it is.
 *
 * @param port to be closed by the caller, or by the balancer that is given it
 * @param io which way it became, never {@link LiveIo#AUTO}
 * @param choice why this way and not another, as a sentence without a full stop
 * @param warnings what stands in the way of forwarding frames through it, each with its remedy
 */
public record LivePort(Port port, LiveIo io, String choice, List<String> warnings) {
  /** Keeps a copy. */
  public LivePort {
    warnings = List.copyOf(warnings);
  }
}

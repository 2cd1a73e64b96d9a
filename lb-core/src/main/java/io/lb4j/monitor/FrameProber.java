package io.lb4j.monitor;

import io.lb4j.address.IpAddress;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Probes that no socket can make: they are frames of the balancer's own address, put together by the data path. Safe
 * from any thread. The consumer is called exactly once, by a worker, or at once when nothing can be sent: it must be
 * quick. Time-outs are more than 0 and at most an hour.
 */
public interface FrameProber {
  /**
   * An echo request to a server's own address.
   *
   * @param server its address
   * @param timeout how long to wait
   * @param done takes the result
   */
  void ping(IpAddress server, Duration timeout, Consumer<ProbeResult> done);

  /**
   * A SYN, or a datagram and an echo request, to a virtual address at a server's MAC address, as Direct Server Return
   * sends clients' frames: only a server that holds the virtual address answers as it. A server that answers for itself
   * but not for the virtual address is {@link ProbeReason#DSR_VIP_MISSING}.
   *
   * @param vip the virtual address
   * @param port of the service
   * @param tcp whether the service is TCP; else UDP
   * @param server the server's own address, on a connected network
   * @param timeout how long to wait
   * @param done takes the result
   */
  void direct(IpAddress vip, int port, boolean tcp, IpAddress server, Duration timeout, Consumer<ProbeResult> done);
}

package io.lb4j.port;

/**
 * A port that leaves to the host's kernel what is not the balancer's, and so has to know what is. A running balancer
 * tells it at the start and before each change of services; whoever has frames of a port otherwise tells it himself.
 */
public interface SteeredPort extends Port {
  /**
   * Receives frames of these prefixes from now on, and of no others. ARP and neighbour discovery are received in any
   * case.
   *
   * @param prefixes all that are wanted
   * @throws PortException when the device or the kernel refuses
   */
  void steer(SteeredPrefixes prefixes);
}

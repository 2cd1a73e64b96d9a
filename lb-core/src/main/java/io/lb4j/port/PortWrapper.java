package io.lb4j.port;

import io.lb4j.address.MacAddress;

/**
 * A port that does what another one does, but for what a subclass does otherwise: of a host that hides something from
 * its balancer, of one that watches. Owned by whoever owns the other port.
 */
public abstract class PortWrapper implements Port {
  private final Port port;

  /**
   * A wrapper.
   *
   * @param port does the work; closed with this one
   */
  protected PortWrapper(Port port) {
    this.port = port;
  }

  @Override
  public String name() {
    return port.name();
  }

  @Override
  public PortTraits traits() {
    return port.traits();
  }

  @Override
  public int queues() {
    return port.queues();
  }

  @Override
  public PortQueue queue(int index) {
    return port.queue(index);
  }

  @Override
  public void join(MacAddress address) {
    port.join(address);
  }

  @Override
  public PortStatus status() {
    return port.status();
  }

  @Override
  public PortCounters counters() {
    return port.counters();
  }

  @Override
  public void close() {
    port.close();
  }
}

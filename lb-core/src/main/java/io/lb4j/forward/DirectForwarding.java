package io.lb4j.forward;

/** A forwarding method that keeps no state of its own: the flow table's server is all it needs. Immutable, shared. */
public interface DirectForwarding extends ForwarderProvider {
  /**
   * The part that handles frames; each worker asks once.
   *
   * @return a forwarder that the calling worker owns
   */
  Forwarder newForwarder();
}

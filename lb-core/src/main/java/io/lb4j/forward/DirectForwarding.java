package io.lb4j.forward;

/** A forwarding method that keeps no state of its own: the flow table's server is all it needs. Immutable, shared. */
public interface DirectForwarding extends ForwarderProvider {
  /**
   * The part that handles frames; each worker asks once.
   *
   * @return a forwarder that the calling worker owns
   */
  Forwarder newForwarder();

  /**
   * Whether the forwarder does nothing but send the frame to its target's link and next hop. The data path then does so
   * itself for known flows, without asking a forwarder.
   *
   * @return false unless overridden
   */
  default boolean changesLinkLayerOnly() {
    return false;
  }
}

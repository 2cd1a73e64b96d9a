package io.lb4j.port;

import io.lb4j.address.MacAddress;

/**
 * An attachment to a network: a live interface, memory, or capture files. Opened, asked and closed by the control
 * thread; its queues belong to workers, one each.
 *
 * <p>Implementations run the contract suite {@code PortContract} of lb-testkit.
 */
public interface Port extends AutoCloseable {
  /**
   * The port's name in messages and reports.
   *
   * @return for a live port the interface's name
   */
  String name();

  /**
   * What the port knows of its network and what it can carry.
   *
   * @return fixed from opening to closing
   */
  PortTraits traits();

  /**
   * How many queues can be worked on at the same time.
   *
   * @return 1 or more
   */
  int queues();

  /**
   * A queue, to be owned by one worker, or by a thread that receives and one that sends.
   *
   * @param index 0..{@link #queues()}-1
   * @return always the same object for the same index
   */
  PortQueue queue(int index);

  /**
   * Makes the port receive frames sent to another MAC address: a group (for the solicited-node address of an IPv6
   * virtual address), or a unicast address beside the device's own. Asking twice is harmless.
   *
   * @param address group or unicast address
   * @throws PortException when the device refuses, with the call, its error and the likely cause
   */
  void join(MacAddress address);

  /**
   * Whether frames can flow now. Safe from any thread.
   *
   * @return the device's state
   */
  PortStatus status();

  /**
   * Counts since opening, over all queues. Safe from any thread.
   *
   * @return a snapshot
   */
  PortCounters counters();

  /** Gives everything back; queues answer 0 from then on. Closing twice is harmless. */
  @Override
  void close();
}

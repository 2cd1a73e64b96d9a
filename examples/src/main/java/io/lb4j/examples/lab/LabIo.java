package io.lb4j.examples.lab;

import io.lb4j.pcap.live.LiveIo;
import java.util.Locale;

/**
 * How a lab's balancers exchange frames. Where that carries offloads, all hosts have theirs as they come, which is on;
 * else all have them off. Immutable, shared.
 *
 * @param io of the balancers' interfaces
 */
public record LabIo(LiveIo io) {
  /** The system property that chooses, for example {@code xdp}; {@code packet} without it. */
  public static final String PROPERTY = "lb4j.lab.io";

  /**
   * What the system property says.
   *
   * @return packet without it
   * @throws IllegalArgumentException when it says something else than a way
   */
  public static LabIo chosen() {
    return new LabIo(LiveIo.valueOf(System.getProperty(PROPERTY, "packet").toUpperCase(Locale.ROOT)));
  }

  /**
   * Whether frames may be as their sender's kernel left them: with unfinished checksums, and many segments in one.
   *
   * @return whether nobody has to switch offloads off
   */
  public boolean carriesOffloads() {
    return io == LiveIo.AUTO || io == LiveIo.PACKET;
  }

  /**
   * Whether the kernel of a balancer's host sees the balancer's frames as well.
   *
   * @return false where they are taken away before it
   */
  public boolean seenByKernel() {
    return io != LiveIo.XDP;
  }

  /** The word in a configuration file. */
  @Override
  public String toString() {
    return io.name().toLowerCase(Locale.ROOT);
  }
}

package io.lb4j.pcap.live;

/** How frames are exchanged with an interface. */
public enum LiveIo {
  /**
   * {@link #PACKET} where it works, else {@link #PCAP}. {@link #XDP} takes frames from the kernel, so it is asked for.
   */
  AUTO,
  /** libpcap: any system that has it; offloads have to be off. */
  PCAP,
  /** Packet sockets of Linux, which carry offloads. */
  PACKET,
  /** AF_XDP sockets of Linux, which keep the balancer's frames from the kernel; offloads have to be off. */
  XDP
}

package io.lb4j.pcap.packet;

/** What a port favours: how soon a lone frame is handed over, or how many frames a core forwards. */
public enum Latency {
  /** Each frame is handed over at once (TPACKET_V2), from a ring for frames of the MTU or one for super-frames. */
  LOW,
  /**
   * The kernel gathers frames into blocks: more throughput, and a lone frame waits up to the retire time (TPACKET_V3).
   */
  BULK,
  /** What is better for most: {@link #LOW}. */
  AUTO
}

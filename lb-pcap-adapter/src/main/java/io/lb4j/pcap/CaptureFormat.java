package io.lb4j.pcap;

/** The kinds of capture file that are written and read. */
public enum CaptureFormat {
  /** The classic format with microseconds; one interface. */
  PCAP_MICROSECONDS,
  /** The classic format with nanoseconds; one interface. */
  PCAP_NANOSECONDS,
  /** The block format: several interfaces with names, comments, nanoseconds. */
  PCAPNG
}

package io.lb4j.gateway;

/** What becomes of an inbound SYN that nobody asked for, after six seconds without an answer (RFC 5382, REQ-4). */
public enum UnsolicitedSyn {
  /** ICMP port unreachable: the default. */
  REJECT,
  /** Nothing. */
  SILENT
}

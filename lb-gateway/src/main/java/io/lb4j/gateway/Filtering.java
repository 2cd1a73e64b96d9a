package io.lb4j.gateway;

/** Who outside may use a mapping (RFC 4787, section 5). It never changes with load. */
public enum Filtering {
  /** Everybody. */
  ENDPOINT_INDEPENDENT,
  /** The addresses that the inside host has sent to from this mapping, from whichever port: the default. */
  ADDRESS_DEPENDENT,
  /** The addresses and ports that the inside host has sent to from this mapping. */
  ADDRESS_AND_PORT_DEPENDENT
}

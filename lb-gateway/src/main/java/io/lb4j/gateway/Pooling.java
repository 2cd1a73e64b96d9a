package io.lb4j.gateway;

/** Which of several external addresses an inside host gets (RFC 4787, section 4.1). */
public enum Pooling {
  /** Always the same one; without a free port there the packet is refused (RFC 7857, section 4): the default. */
  PAIRED,
  /** The host's usual one, and another when that has no free port. */
  ARBITRARY
}

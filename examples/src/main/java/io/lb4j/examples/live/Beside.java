package io.lb4j.examples.live;

/** How a balancer lives with the kernel beside it. */
public enum Beside {
  /** The host has none of the balancer's addresses. */
  APART,
  /** Somebody else's rules keep the balancer's frames from the kernel. */
  IGNORED,
  /** The balancer raises a shield of its own. */
  SHIELDED
}

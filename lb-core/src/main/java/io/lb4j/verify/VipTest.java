package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import org.jspecify.annotations.Nullable;

/** What a server is asked about one virtual address that it is to hold. Owned by the thread that verifies. */
final class VipTest {
  final IpAddress vip;
  final boolean sibling; // another virtual address of the same server stands beside it

  /** Does it hold the address? */
  @Nullable Question echo;
  /** Does it answer a neighbour of the address? Null for IPv6, and where no spare address was found. */
  @Nullable Question nearby;
  /** Makes it ask for a neighbour that it does not know, as the virtual address. */
  @Nullable Question stranger;

  VipTest(IpAddress vip, boolean sibling) {
    this.vip = vip;
    this.sibling = sibling;
  }
}

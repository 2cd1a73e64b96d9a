/** Gateway: NAT with the balancer as the real servers' default gateway. */
module io.lb4j.gateway {
  requires transitive io.lb4j.core;
  requires static transitive org.jspecify;

  exports io.lb4j.gateway;
}

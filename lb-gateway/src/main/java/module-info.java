/** The NAT gateway. */
module io.lb4j.gateway {
  requires transitive io.lb4j.core;
  requires static transitive org.jspecify;
}

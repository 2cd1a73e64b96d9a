/** Interfaces and routes of the balancer as immutable declarations. Imports {@code address} and {@code settings}. */
package io.lb4j.topology;

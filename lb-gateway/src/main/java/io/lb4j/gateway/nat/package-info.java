/**
 * The translator of one worker: sessions, mappings, rewriting, ICMP. Not exported. Everything is owned by that worker
 * unless its Javadoc says otherwise.
 */
package io.lb4j.gateway.nat;

/**
 * What live ports ask of the operating system, bound with {@code java.lang.foreign}: functions of the C library,
 * network devices, packet sockets, waiting, and what a queue counts and gathers to send. Not exported: shared by the
 * kinds of port, and no embedder's business. Each class says who owns it.
 */
package io.lb4j.pcap.os;

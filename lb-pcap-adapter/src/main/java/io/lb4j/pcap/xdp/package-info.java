/**
 * Live interfaces through AF_XDP sockets: a small eBPF program takes the frames of the balancer's prefixes away from
 * the kernel and leaves it all others. Linux only, without other libraries than the C library.
 */
package io.lb4j.pcap.xdp;

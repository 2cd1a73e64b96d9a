/**
 * Live ports through Linux packet sockets: frames are handed over where the kernel put them, in a ring that it shares
 * with us, are rewritten and sent from there, and keep their offloads (unfinished checksums, super-frames, VLAN tags)
 * on the way. A port is owned by the control side, each of its queues by one worker.
 */
package io.lb4j.pcap.packet;

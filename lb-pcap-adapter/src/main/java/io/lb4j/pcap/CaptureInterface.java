package io.lb4j.pcap;

/**
 * An interface that a capture file describes. Immutable, shared.
 *
 * @param id its place in the file, counted from 0 over all sections
 * @param name as the file says, at most 256 bytes of it; empty when the file says nothing
 * @param linkType the file's number for the link layer; packets are read from Ethernet (1) only
 * @param snapLength most bytes kept of a packet; 0 for no limit
 */
public record CaptureInterface(int id, String name, int linkType, long snapLength) {}

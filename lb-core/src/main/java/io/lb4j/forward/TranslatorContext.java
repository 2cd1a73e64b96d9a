package io.lb4j.forward;

import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.neighbor.HeldFrameListener;
import io.lb4j.topology.Topology;
import io.netty.buffer.ByteBufAllocator;

/**
 * What a worker lends its translator.
 *
 * @param topology interfaces and routes
 * @param egress the way out
 * @param loop takes packets that are to one of our own translated addresses again
 * @param errors sends ICMP errors of the balancer's own
 * @param accounting hears what becomes of the services' sessions
 * @param heldEnded hears how frames that the translator held ended
 * @param allocator for frames that are held or made
 * @param capacity sessions held at most
 * @param overflow what happens to a new session when there is no room
 * @param hash places sessions; the frame's hash was made with it
 * @param seed of all other chance
 * @param worker 0..workers-1
 * @param workers how many share the ports of a NAT pool
 * @param nowNs the time
 */
public record TranslatorContext(
    Topology topology,
    Egress egress,
    Hairpin loop,
    IcmpErrors errors,
    SessionAccounting accounting,
    HeldFrameListener heldEnded,
    ByteBufAllocator allocator,
    int capacity,
    FlowTableOverflow overflow,
    FlowHash hash,
    long seed,
    int worker,
    int workers,
    long nowNs) {}

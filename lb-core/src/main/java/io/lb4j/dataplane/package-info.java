/**
 * The walk of a frame: parse, which service, known flow, persistence, schedule, forward, neighbour, port. Owned by
 * workers; the {@code ForwardingTable} they work by is immutable and published by control. Imports everything below.
 */
package io.lb4j.dataplane;

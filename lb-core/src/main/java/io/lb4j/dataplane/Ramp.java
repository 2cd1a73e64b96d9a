package io.lb4j.dataplane;

import io.lb4j.schedule.Schedule;

/**
 * The servers of a pool that are in slow start: each may have its fair share of the new flows times the part of the
 * period that has passed. Immutable, shared; it does not end by a new snapshot but by time.
 *
 * @param starting candidates in slow start, ascending; not copied, as the other arrays
 * @param sinceNs when each of them began
 * @param share of the pool's new flows that each is to have in the end, 0..1
 * @param periodNs how long a slow start lasts
 * @param settled the other candidates, ascending, one or more
 * @param others a schedule over these, in this order
 */
@SuppressWarnings("ArrayRecordComponent")
public record Ramp(
    int[] starting, long[] sinceNs, double[] share, long periodNs, int[] settled, Schedule others) {}

package io.lb4j.dataplane;

import io.lb4j.counters.ResponseTime;
import io.lb4j.schedule.Schedule;
import org.jspecify.annotations.Nullable;

/**
 * Servers that new flows are spread over. Immutable, shared, except for the response times, which are safe from any
 * thread.
 *
 * @param schedule over the candidates; null when there are none
 * @param candidates bindings of the servers, in the schedule's order; not copied
 * @param responses how long each of them takes to answer; not copied
 * @param ramp who is in slow start; null when nobody is
 */
@SuppressWarnings("ArrayRecordComponent")
public record Pool(
    @Nullable Schedule schedule, int[] candidates, ResponseTime[] responses, @Nullable Ramp ramp) {
  /** No server. */
  public static final Pool EMPTY = new Pool(null, new int[0], new ResponseTime[0], null);
}

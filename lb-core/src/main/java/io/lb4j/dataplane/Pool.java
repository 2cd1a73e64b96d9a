package io.lb4j.dataplane;

import io.lb4j.schedule.Schedule;
import org.jspecify.annotations.Nullable;

/**
 * Servers that new flows are spread over. Immutable, shared.
 *
 * @param schedule over the candidates; null when there are none
 * @param candidates bindings of the servers, in the schedule's order; not copied
 */
@SuppressWarnings("ArrayRecordComponent")
public record Pool(@Nullable Schedule schedule, int[] candidates) {
  /** No server. */
  public static final Pool EMPTY = new Pool(null, new int[0]);
}

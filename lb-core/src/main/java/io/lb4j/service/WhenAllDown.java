package io.lb4j.service;

/** Where new flows go when no online and no standby server is both able and healthy. */
public enum WhenAllDown {
  /** Nowhere. */
  CLOSED,
  /** To the online servers, as though they were up: a monitor may be wrong. */
  OPEN,
  /** To the standby servers of the lowest tier, as though they were up; closed when there is none. */
  STANDBY
}

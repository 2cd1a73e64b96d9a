package io.lb4j.state;

/**
 * What was saved. Immutable, shared.
 *
 * @param flows flows and sessions
 * @param clients of persistence
 */
public record SaveReport(long flows, long clients) {}

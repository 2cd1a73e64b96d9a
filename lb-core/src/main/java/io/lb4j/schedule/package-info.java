/**
 * Which real server takes a new flow: the scheduler service-provider interface and the disciplines. Pure arithmetic
 * over candidates: no clock, no I/O, no allocation per pick. Imports {@code settings} only.
 */
package io.lb4j.schedule;

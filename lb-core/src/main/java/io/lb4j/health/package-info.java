/**
 * What watches real servers: decides when to probe, makes the probes on threads of their own, counts, and watches
 * clients' connections. Owned by the control side. Imports {@code service}, {@code monitor}, {@code counters},
 * {@code address}.
 */
package io.lb4j.health;

/**
 * How real servers are watched: what an operator declares, and what a probe finds. Immutable declarations; what runs
 * them is in {@code health}. Imports {@code address} and {@code settings}.
 */
package io.lb4j.monitor;

/** Single-writer counters per worker and the conservation law that binds them. Imports {@code frame}. */
package io.lb4j.counters;

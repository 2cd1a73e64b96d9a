/**
 * Which real server a client used last: client prefix to server, asked only when a flow is new. Safe from any thread.
 * Imports {@code wire}, {@code address} and {@code settings}.
 */
package io.lb4j.persistence;

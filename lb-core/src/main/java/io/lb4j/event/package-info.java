/**
 * What happens to a balancer that somebody may want to hear of: servers that go and come, limits, next hops, virtual
 * addresses, changes. Immutable, shared. Imports {@code address}.
 */
package io.lb4j.event;

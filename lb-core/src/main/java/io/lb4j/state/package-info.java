/**
 * What a balancer knows of flows and clients: listed, ended, forgotten, saved and taken over. Owned by the thread that
 * asks; the work on flows is done by the workers that own them. Imports {@code dataplane} and below.
 */
package io.lb4j.state;

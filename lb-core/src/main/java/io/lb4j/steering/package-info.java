/**
 * The pipelined way to run: which worker a frame belongs to, the threads that receive, work and send, and the rings
 * between them. Imports {@code dataplane} and below.
 */
package io.lb4j.steering;

/**
 * Whether real servers are set up right, asked on the wire: frames that only a server with one certain fault answers
 * otherwise than one without. Owned by the thread that verifies; knows ports, and no balancer. Imports {@code service},
 * {@code monitor}, {@code port}, {@code topology}, {@code frame}, {@code wire} and {@code address}.
 */
package io.lb4j.verify;

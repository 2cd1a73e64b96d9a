/** Live interfaces: opening, signals, and changes of a running balancer. */
package io.lb4j.examples.live;

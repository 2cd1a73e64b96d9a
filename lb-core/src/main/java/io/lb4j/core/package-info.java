/** The front door: the builder, the balancer, and the handles to change and watch it while it runs. */
package io.lb4j.core;

/**
 * Where frames come from and go to: the batch-shaped service-provider interface of ports, and the port in memory. A
 * port is opened and closed by the control thread; each queue is owned by one worker. Imports {@code frame} and below.
 */
package io.lb4j.port;

/**
 * One way to open a live interface, whichever way frames are then exchanged with it. Imports the packages of the kinds
 * of port.
 */
package io.lb4j.pcap.live;

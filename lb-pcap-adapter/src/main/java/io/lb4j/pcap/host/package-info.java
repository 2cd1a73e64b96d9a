/**
 * The kernel beside live ports: what it does with the frames that they see too, and how to keep these from it. Imports
 * nothing of the other packages of this module.
 */
package io.lb4j.pcap.host;

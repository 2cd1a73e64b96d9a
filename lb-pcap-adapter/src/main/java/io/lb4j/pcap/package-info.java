/**
 * Capture files, read and written without native code, and live ports through libpcap, bound with {@code
 * java.lang.foreign}. The data path sees a live interface as an {@link io.lb4j.port.Port}.
 */
package io.lb4j.pcap;

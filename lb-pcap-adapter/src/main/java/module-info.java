/** Live ports and capture files. */
module io.lb4j.pcap {
  requires transitive io.lb4j.core;
  requires org.slf4j;
  requires static transitive org.jspecify;

  exports io.lb4j.pcap;
  exports io.lb4j.pcap.host;
  exports io.lb4j.pcap.live;
  exports io.lb4j.pcap.packet;
  exports io.lb4j.pcap.xdp;
}

/** The lb command and small programs to copy from. */
module io.lb4j.examples {
  requires info.picocli;
  requires io.lb4j.core;
  requires io.lb4j.dsr;
  requires io.lb4j.gateway;
  requires io.lb4j.pcap;
  requires io.lb4j.testkit;
  requires org.slf4j;
  requires org.yaml.snakeyaml;
  requires static org.jspecify;
}

/** The lb command and small programs to copy from. */
module io.lb4j.examples {
  requires com.fasterxml.jackson.core;
  requires info.picocli;
  requires io.lb4j.core;
  requires io.lb4j.dsr;
  requires io.lb4j.gateway;
  requires io.lb4j.pcap;
  requires io.lb4j.testkit;
  requires jdk.net;
  requires org.slf4j;
  requires org.yaml.snakeyaml;
  requires static org.jspecify;

  opens io.lb4j.examples to info.picocli;
  opens io.lb4j.examples.demo to info.picocli;
}

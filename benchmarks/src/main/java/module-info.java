/** JMH benchmarks and their baselines. */
@SuppressWarnings("requires-automatic") // JMH and others ship no module-info
module io.lb4j.benchmarks {
  requires io.lb4j.core;
  requires io.lb4j.dsr;
  requires io.lb4j.gateway;
  requires io.lb4j.pcap;
  requires io.lb4j.testkit;
  requires com.fasterxml.jackson.core;
  requires com.github.benmanes.caffeine;
  requires com.lmax.disruptor;
  requires io.netty.buffer;
  requires io.netty.common;
  requires io.netty.transport;
  requires jmh.core;
  requires org.agrona;
  requires org.jctools.core.jdk11;
  requires HdrHistogram;
  requires static org.jspecify;
}

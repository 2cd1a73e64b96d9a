/** The core of lb4j: the walk of a frame, what an operator declares, and the ports' interface. */
module io.lb4j.core {
  requires transitive io.netty.buffer;
  requires io.netty.common;
  requires org.slf4j;
  requires com.github.benmanes.caffeine;
  requires org.jctools.core.jdk11;
  requires static transitive org.jspecify;
  requires static java.management;
  requires static jdk.jfr;
  requires static jdk.management;

  exports io.lb4j.address;
  exports io.lb4j.core;
  exports io.lb4j.counters;
  exports io.lb4j.dataplane;
  exports io.lb4j.event;
  exports io.lb4j.flow;
  exports io.lb4j.forward;
  exports io.lb4j.frame;
  exports io.lb4j.monitor;
  exports io.lb4j.neighbor;
  exports io.lb4j.persistence;
  exports io.lb4j.port;
  exports io.lb4j.schedule;
  exports io.lb4j.service;
  exports io.lb4j.settings;
  exports io.lb4j.setup;
  exports io.lb4j.state;
  exports io.lb4j.topology;
  exports io.lb4j.verify;
  exports io.lb4j.wire;
}

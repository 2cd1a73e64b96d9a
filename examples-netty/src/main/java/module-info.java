/** The data path inside Netty pipelines. */
@SuppressWarnings("requires-automatic") // Netty's modules have no module-info
module io.lb4j.examples.netty {
  requires transitive io.lb4j.core;
  requires io.netty.buffer;
  requires io.netty.common;
  requires transitive io.netty.transport;
  requires static org.jspecify;

  exports io.lb4j.examples.netty;
}

/** JMH benchmarks and their baselines. */
@SuppressWarnings("requires-automatic") // JMH and HdrHistogram ship no module-info
module io.lb4j.benchmarks {
  requires io.lb4j.core;
  requires io.lb4j.dsr;
  requires io.lb4j.gateway;
  requires io.lb4j.testkit;
  requires jmh.core;
  requires HdrHistogram;
  requires static org.jspecify;
}

/** Contract suites for schedulers and ports, and what tests of frames need. */
module io.lb4j.testkit {
  requires transitive io.lb4j.core;
  requires transitive org.assertj.core;
  requires transitive org.junit.jupiter.api;
  requires jdk.management;
  requires static transitive org.jspecify;

  exports io.lb4j.testkit;
}

/** Direct Server Return. */
module io.lb4j.dsr {
  requires transitive io.lb4j.core;
  requires static transitive org.jspecify;

  exports io.lb4j.dsr;
}

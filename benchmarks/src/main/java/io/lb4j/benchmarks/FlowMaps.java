package io.lb4j.benchmarks;

import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.agrona.collections.Object2ObjectHashMap;

/**
 * The maps that a Java engineer would take for a flow table, by the name of the benchmark that asks for one. Stateless.
 */
final class FlowMaps {
  private FlowMaps() {}

  /** An empty map for so many flows. */
  static <V> Map<PlainFlowKey, V> forBenchmark(String benchmark, int flows) {
    if (benchmark.endsWith("ConcurrentHashMap")) {
      return new ConcurrentHashMap<>();
    }
    if (benchmark.endsWith("Caffeine")) {
      return Caffeine.newBuilder().maximumSize(flows + flows / 4).<PlainFlowKey, V>build().asMap();
    }
    if (benchmark.endsWith("Agrona")) {
      return new Object2ObjectHashMap<>();
    }
    return new HashMap<>();
  }
}

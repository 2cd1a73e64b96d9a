package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a listener heard of mappings. Owned by the test. */
final class MappingBook implements MappingListener {
  /** Inside addresses and ports by external ones, of mappings that have not ended. */
  final Map<String, String> live = new HashMap<>();

  /** Beginnings with a plus, ends with a minus. */
  final List<String> events = new ArrayList<>();

  @Override
  public void onMapped(long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {
    live.put(kind + " " + outside + " " + outsidePort, inside + " " + insidePort);
    events.add("+" + kind + " " + outside + " " + outsidePort);
  }

  @Override
  public void onUnmapped(long nowNs, Kind kind, IpAddress inside, int insidePort, IpAddress outside, int outsidePort) {
    live.remove(kind + " " + outside + " " + outsidePort);
    events.add("-" + kind + " " + outside + " " + outsidePort);
  }

  /** Whether an external UDP endpoint, as {@code address port}, has a mapping. */
  boolean hasUdp(String external) {
    return live.containsKey("UDP " + external);
  }
}

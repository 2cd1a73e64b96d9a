package io.lb4j.control;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/** Small numbers for services, each the lowest that was free, until they go. Guarded by the registry's lock. */
final class ServiceIds {
  private final Map<String, Integer> ids = new HashMap<>();

  int of(String name) {
    Integer known = ids.get(name);
    if (known != null) {
      return known;
    }
    int id = 0;
    while (ids.containsValue(id)) {
      id++;
    }
    ids.put(name, id);
    return id;
  }

  void retain(Predicate<String> names) {
    ids.keySet().removeIf(name -> !names.test(name));
  }

  ServiceIds copy() {
    ServiceIds copy = new ServiceIds();
    copy.restore(this);
    return copy;
  }

  void restore(ServiceIds before) {
    ids.clear();
    ids.putAll(before.ids);
  }
}

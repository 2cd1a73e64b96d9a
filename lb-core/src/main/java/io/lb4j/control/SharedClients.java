package io.lb4j.control;

import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which services remember their clients together: one table for each set. Safe from any thread. */
final class SharedClients {
  private SharedClients() {}

  /** The services with persistence, in sets that share a table. */
  static List<List<VirtualService>> sets(Collection<VirtualService> services) {
    List<List<VirtualService>> sets = new ArrayList<>();
    Map<String, List<VirtualService>> groups = new LinkedHashMap<>();
    List<List<VirtualService>> byAddress = new ArrayList<>();
    for (VirtualService service : services) {
      if (service.persistence().isPresent()) {
        switch (service.persistence().get().scope()) {
          case PORT, SERVICE -> sets.add(List.of(service));
          case GROUP ->
              groups
                  .computeIfAbsent(service.policies().group().orElseThrow(), name -> new ArrayList<>())
                  .add(service);
          case VIP -> join(byAddress, service);
        }
      }
    }
    sets.addAll(groups.values());
    sets.addAll(byAddress);
    return sets;
  }

  /** A service may connect sets that were apart before it. */
  private static void join(List<List<VirtualService>> sets, VirtualService service) {
    List<List<VirtualService>> joined =
        sets.stream().filter(set -> set.stream().anyMatch(other -> haveAddressInCommon(other, service))).toList();
    List<VirtualService> set = new ArrayList<>();
    joined.forEach(set::addAll);
    set.add(service);
    sets.removeIf(joined::contains);
    sets.add(set);
  }

  private static boolean haveAddressInCommon(VirtualService a, VirtualService b) {
    return a.vips().stream().anyMatch(vip -> b.vips().stream().anyMatch(vip::overlaps));
  }

  /** Services that share their clients have to remember them in one way. */
  static void check(List<VirtualService> set, Findings findings) {
    VirtualService first = set.get(0);
    SourceIpPersistence settings = first.persistence().orElseThrow();
    for (VirtualService other : set) {
      SourceIpPersistence others = other.persistence().orElseThrow();
      if (!others.equals(settings)) {
        String shared =
            settings.scope() == PersistenceScope.GROUP
                ? "group " + first.policies().group().orElseThrow()
                : "a virtual address";
        findings.add(
            new ConfigurationException(
                ConfigurationError.CONTRADICTION,
                "service " + other.name() + ": persistence",
                text(others),
                "service " + first.name() + " shares its clients by " + shared + " and has " + text(settings)));
      }
    }
  }

  private static String text(SourceIpPersistence settings) {
    return "timeout "
        + settings.timeout().toSeconds()
        + "s, prefix4 "
        + settings.v4PrefixLength()
        + ", prefix6 "
        + settings.v6PrefixLength()
        + ", capacity "
        + settings.capacity();
  }
}

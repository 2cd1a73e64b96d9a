package io.lb4j.control;

import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Which services remember their clients together: one table for each set. Safe from any thread. */
final class SharedClients {
  private SharedClients() {}

  /** The services with persistence, in sets that share a table, in order of declaration. */
  static List<List<VirtualService>> sets(Collection<VirtualService> services) {
    List<List<VirtualService>> sets = new ArrayList<>();
    for (VirtualService service : services) {
      if (service.persistence().isPresent()) {
        join(sets, service);
      }
    }
    return sets;
  }

  /** A service may connect sets that were apart before it. */
  private static void join(List<List<VirtualService>> sets, VirtualService service) {
    List<List<VirtualService>> joined =
        sets.stream().filter(set -> set.stream().anyMatch(other -> share(other, service))).toList();
    List<VirtualService> set = new ArrayList<>();
    joined.forEach(set::addAll);
    set.add(service);
    if (joined.isEmpty()) {
      sets.add(set);
    } else {
      sets.set(sets.indexOf(joined.get(0)), set);
      sets.removeAll(joined);
    }
  }

  private static boolean share(VirtualService a, VirtualService b) {
    PersistenceScope scope = a.persistence().orElseThrow().scope();
    if (scope != b.persistence().orElseThrow().scope()) {
      return false;
    }
    return switch (scope) {
      case PORT, SERVICE -> false;
      case GROUP -> a.policies().group().equals(b.policies().group());
      case VIP -> a.vips().stream().anyMatch(vip -> b.vips().stream().anyMatch(vip::overlaps));
    };
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

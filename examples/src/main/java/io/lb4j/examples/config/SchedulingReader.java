package io.lb4j.examples.config;

import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.settings.ConfigurationError;
import java.util.EnumSet;
import java.util.List;

/** Reads who picks a new flow's server, and who keeps one. Owned by one thread. */
final class SchedulingReader {
  static final Keys PERSISTENCE =
      Keys.of("timeout", "prefix4", "prefix6", "capacity", "scope")
          .refusing(ConfigurationError.PERSISTENCE_NOT_BY_ADDRESS, Wishes.PERSISTENCE, Wishes.PERSISTENCE_KEYS);

  /** The keys of a service that are read here. */
  static final List<String> KEYS = List.of("scheduler", "hash", "persistence");

  /** Where the file says nothing. */
  static final String DEFAULT = "wlc";

  private SchedulingReader() {}

  static Scheduler scheduler(Section section) {
    String name = section.get("scheduler", DEFAULT, SchedulingReader::name);
    HashInputs inputs = section.get("hash", HashInputs.NONE, value -> hash(value, name));
    return named(name, inputs);
  }

  private static String name(Value value) {
    if (Schedulers.named(value.text()).isEmpty()) {
      String names = String.join(", ", Schedulers.names());
      throw value.refuse(ConfigurationError.NOT_READABLE, "one of " + names + " is expected");
    }
    return value.text();
  }

  /** A built-in discipline over these parts of a flow; over its own without any. */
  static Scheduler named(String name, HashInputs inputs) {
    if (inputs.isEmpty()) {
      return Schedulers.named(name).orElseThrow();
    }
    return switch (name) {
      case "sh" -> Schedulers.sourceHash(inputs);
      case "maglev" -> Schedulers.maglev(inputs);
      case "hrw" -> Schedulers.rendezvous(inputs);
      default -> throw new IllegalArgumentException("the scheduler " + name + " has no choice of parts");
    };
  }

  private static HashInputs hash(Value value, String scheduler) {
    if (Schedulers.named(scheduler).orElseThrow().hashInputs().isEmpty()) {
      throw value.refuse(ConfigurationError.NOT_SUPPORTED, "the scheduler " + scheduler + " does not hash");
    }
    EnumSet<HashInput> parts = EnumSet.noneOf(HashInput.class);
    for (Value part : value.listOrOne()) {
      if (!parts.add(part.oneOf(HashInput.class))) {
        throw part.refuse(ConfigurationError.DUPLICATE_NAME, "the part is named twice");
      }
    }
    if (parts.isEmpty()) {
      throw value.refuse(ConfigurationError.MISSING, "a hash needs at least one part");
    }
    return HashInputs.of(parts.iterator().next(), parts.toArray(HashInput[]::new));
  }

  static SourceIpPersistence persistence(Value value) {
    Wishes.checkPersistence(value);
    Section section = value.section(PERSISTENCE);
    SourceIpPersistence[] result = {SourceIpPersistence.create()};
    section.with("timeout", v -> result[0] = SourceIpPersistence.timeout(v.duration()));
    section.with("prefix4", v -> result[0] = result[0].prefixLengths(v.integer(), result[0].v6PrefixLength()));
    section.with("prefix6", v -> result[0] = result[0].prefixLengths(result[0].v4PrefixLength(), v.integer()));
    section.with("capacity", v -> result[0] = result[0].capacity(v.number()));
    section.with("scope", v -> result[0] = result[0].scope(v.oneOf(PersistenceScope.class)));
    return result[0];
  }
}

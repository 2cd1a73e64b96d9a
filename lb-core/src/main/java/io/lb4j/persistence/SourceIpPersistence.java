package io.lb4j.persistence;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;

/**
 * Source-IP persistence: new flows of a client go to the server of its earlier flows, until the client was silent for
 * the time-out. The only persistence of layer 4. Immutable, shared.
 *
 * @param timeout sliding: counted from the client's last flow creation, flow end, or sweep while a flow lives
 * @param v4PrefixLength bits of an IPv4 client address that count, 1..32
 * @param v6PrefixLength bits of an IPv6 client address that count, 1..128
 * @param capacity clients remembered at most, by all services that share them; beyond it those give way that came
 *     seldom, which may be the newest: a flood of clients that come once pushes out no regular one
 * @param scope which of a client's flows go together
 */
public record SourceIpPersistence(
    Duration timeout, int v4PrefixLength, int v6PrefixLength, long capacity, PersistenceScope scope) {
  /** The time-out of {@link #create()}: that of IPVS. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(5);

  /** Clients remembered by default. */
  public static final long DEFAULT_CAPACITY = 1 << 20;

  /** Refuses values that would give every client one server, or none. */
  public SourceIpPersistence {
    if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(Duration.ofDays(7)) > 0) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "persistence: timeout", timeout, "not in 1 s..7 d");
    }
    checkPrefix("prefix4", v4PrefixLength, 32);
    checkPrefix("prefix6", v6PrefixLength, 128);
    if (capacity < 1 || capacity > 1 << 26) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "persistence: capacity", capacity, "not in 1.." + (1 << 26));
    }
  }

  private static void checkPrefix(String setting, int length, int most) {
    if (length == 0) {
      throw new ConfigurationException(
          ConfigurationError.PREFIX_ZERO, "persistence: " + setting, 0, "one entry would hold every client");
    }
    if (length < 0 || length > most) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "persistence: " + setting, length, "not in 1.." + most);
    }
  }

  /**
   * Persistence of single clients for five minutes.
   *
   * @return the defaults
   */
  public static SourceIpPersistence create() {
    return timeout(DEFAULT_TIMEOUT);
  }

  /**
   * Persistence of single clients.
   *
   * @param timeout 1 s to 7 d
   * @return the other values by default
   */
  public static SourceIpPersistence timeout(Duration timeout) {
    return new SourceIpPersistence(timeout, 32, 128, DEFAULT_CAPACITY, PersistenceScope.SERVICE);
  }

  /**
   * The same for networks of clients.
   *
   * @param v4Length 1..32
   * @param v6Length 1..128
   * @return a new value
   */
  public SourceIpPersistence prefixLengths(int v4Length, int v6Length) {
    return new SourceIpPersistence(timeout, v4Length, v6Length, capacity, scope);
  }

  /**
   * The same with another bound.
   *
   * @param clients remembered at most
   * @return a new value
   */
  public SourceIpPersistence capacity(long clients) {
    return new SourceIpPersistence(timeout, v4PrefixLength, v6PrefixLength, clients, scope);
  }

  /**
   * The same with another scope.
   *
   * @param newScope which of a client's flows go together; {@link PersistenceScope#SERVICE} unless told otherwise
   * @return a new value
   */
  public SourceIpPersistence scope(PersistenceScope newScope) {
    return new SourceIpPersistence(timeout, v4PrefixLength, v6PrefixLength, capacity, newScope);
  }

  /**
   * Whether clients that were remembered under other settings are the same clients under these.
   *
   * @param other the other settings
   * @return true when prefix lengths, and whether ports count, are equal
   */
  public boolean tellsClientsApartAs(SourceIpPersistence other) {
    return v4PrefixLength == other.v4PrefixLength
        && v6PrefixLength == other.v6PrefixLength
        && (scope == PersistenceScope.PORT) == (other.scope == PersistenceScope.PORT);
  }
}

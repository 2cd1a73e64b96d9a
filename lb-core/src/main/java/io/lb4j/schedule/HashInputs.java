package io.lb4j.schedule;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * The parts of a flow that a hashing scheduler uses, and their keyed hash. Immutable, shared; allocates nothing per
 * hash.
 */
public final class HashInputs {
  /** No part: the scheduler does not hash. */
  public static final HashInputs NONE = new HashInputs(EnumSet.noneOf(HashInput.class));

  /** The client's address alone. */
  public static final HashInputs SOURCE = new HashInputs(EnumSet.of(HashInput.SOURCE_ADDRESS));

  /** All five parts. */
  public static final HashInputs FIVE_TUPLE = new HashInputs(EnumSet.allOf(HashInput.class));

  private final Set<HashInput> parts;
  private final long sourceMask;
  private final long destinationMask;
  private final int portsMask;
  private final int protocolMask;

  private HashInputs(Set<HashInput> parts) {
    this.parts = Set.copyOf(parts);
    this.sourceMask = parts.contains(HashInput.SOURCE_ADDRESS) ? -1 : 0;
    this.destinationMask = parts.contains(HashInput.DESTINATION_ADDRESS) ? -1 : 0;
    this.portsMask =
        (parts.contains(HashInput.SOURCE_PORT) ? 0xFFFF_0000 : 0)
            | (parts.contains(HashInput.DESTINATION_PORT) ? 0xFFFF : 0);
    this.protocolMask = parts.contains(HashInput.PROTOCOL) ? 0xFF : 0;
  }

  /**
   * A choice of parts.
   *
   * @param first a part
   * @param more further parts
   * @return the choice
   */
  public static HashInputs of(HashInput first, HashInput... more) {
    return new HashInputs(EnumSet.of(first, more));
  }

  /**
   * The chosen parts.
   *
   * @return unmodifiable
   */
  public Set<HashInput> parts() {
    return parts;
  }

  /**
   * Whether there is nothing to hash.
   *
   * @return true for {@link #NONE}
   */
  public boolean isEmpty() {
    return parts.isEmpty();
  }

  void requireAny(String scheduler) {
    if (parts.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "scheduler " + scheduler + ": hash", this, "a hash needs at least one input");
    }
  }

  /**
   * The keyed hash of a flow's chosen parts; parts not chosen count as 0.
   *
   * @param seed the key
   * @param sourceHigh first 64 bits of the client's address, 0 for IPv4
   * @param sourceLow last 64 bits of it, or the IPv4 address
   * @param destinationHigh first 64 bits of the virtual address, 0 for IPv4
   * @param destinationLow last 64 bits of it, or the IPv4 address
   * @param ports source port in the upper, destination port in the lower 16 bits
   * @param protocol 6 or 17
   * @return 64 well mixed bits
   */
  public long hash(
      long seed,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    return SipHash13.hash(
        seed,
        sourceHigh & sourceMask,
        sourceLow & sourceMask,
        destinationHigh & destinationMask,
        destinationLow & destinationMask,
        (long) (ports & portsMask) << 32 | protocol & protocolMask);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof HashInputs inputs && parts.equals(inputs.parts);
  }

  @Override
  public int hashCode() {
    return parts.hashCode();
  }

  /** The parts in the order of the enumeration. */
  @Override
  public String toString() {
    return new TreeSet<>(parts).toString();
  }
}

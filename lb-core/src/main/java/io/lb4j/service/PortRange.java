package io.lb4j.service;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;

/**
 * The ports of a virtual service: one, a range, or any. Immutable, shared.
 *
 * @param first lowest port, 1..65535
 * @param last highest port, {@code first}..65535
 */
public record PortRange(int first, int last) {
  /** Every port. */
  public static final PortRange ANY = new PortRange(1, 65535);

  /** Refuses ports that no packet can have. */
  public PortRange {
    if (first < 1 || last > 65535 || first > last) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "port", first + "-" + last, "ports are 1..65535, lowest first");
    }
  }

  /**
   * One port.
   *
   * @param port 1..65535
   * @return the range that holds it alone
   */
  public static PortRange of(int port) {
    if (port < 1 || port > 65535) {
      throw new ConfigurationException(ConfigurationError.OUT_OF_RANGE, "port", port, "ports are 1..65535");
    }
    return new PortRange(port, port);
  }

  /**
   * Reads {@code 80}, {@code 8000-8099} or {@code any}.
   *
   * @param text one of the three forms
   * @return the range
   * @throws ConfigurationException when the text is anything else
   */
  public static PortRange of(String text) {
    if (text.equals("any")) {
      return ANY;
    }
    if (!text.matches("[0-9]{1,5}(-[0-9]{1,5})?")) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE, "port", text, "neither a port, a range like 8000-8099, nor 'any'");
    }
    int dash = text.indexOf('-');
    return dash < 0
        ? of(Integer.parseInt(text))
        : new PortRange(Integer.parseInt(text.substring(0, dash)), Integer.parseInt(text.substring(dash + 1)));
  }

  /**
   * Whether a port is one of these.
   *
   * @param port 0..65535
   * @return true when it is
   */
  public boolean contains(int port) {
    return port >= first && port <= last;
  }

  /**
   * How many ports these are; the fewer, the more exact the service.
   *
   * @return 1..65535
   */
  public int size() {
    return last - first + 1;
  }

  /**
   * Whether two ranges claim the same port with equal right: the same range, or two proper ranges that overlap. A
   * single port inside a range, and a range inside "any", are more exact and simply win.
   *
   * @param other the other service's ports
   * @return true when it cannot be told which service a packet is for
   */
  public boolean conflictsWith(PortRange other) {
    return rank() == other.rank() && first <= other.last && other.first <= last;
  }

  private int rank() {
    return size() == 1 ? 0 : equals(ANY) ? 2 : 1;
  }

  @Override
  public String toString() {
    return equals(ANY) ? "any" : size() == 1 ? Integer.toString(first) : first + "-" + last;
  }
}

package io.lb4j.monitor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.HashSet;
import java.util.List;

/**
 * The monitors of a server, each of which counts for itself, and how many of them have to be content. Immutable,
 * shared, equal by value.
 *
 * @param require all of them or any
 * @param list in order of declaration; empty when the server is not watched
 */
public record Monitors(Require require, List<Monitor> list) {
  /** How many may watch one server. */
  public static final int MOST = 8;

  /** Nobody watches. */
  public static final Monitors NONE = new Monitors(Require.ALL, List.of());

  /** How many monitors have to be content. */
  public enum Require {
    /** Each of them: one that is not takes the server down. */
    ALL,
    /** One of them: only when none is the server is down. */
    ANY
  }

  /** Refuses too many, and one that is there twice. */
  public Monitors {
    list = List.copyOf(list);
    require = list.size() < 2 ? Require.ALL : require;
    if (list.size() > MOST) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, "monitors", list.size() + " monitors", "not in 0.." + MOST);
    }
    if (new HashSet<>(list).size() < list.size()) {
      throw new ConfigurationException(
          ConfigurationError.DUPLICATE_NAME, "monitors", list.size() + " monitors", "two of them are the same");
    }
  }

  /**
   * One monitor.
   *
   * @param monitor the only one
   * @return itself as a list
   */
  public static Monitors of(Monitor monitor) {
    return new Monitors(Require.ALL, List.of(monitor));
  }

  /**
   * Several that all have to be content.
   *
   * @param monitors 1 to {@link #MOST}
   * @return their list
   */
  public static Monitors allOf(Monitor... monitors) {
    return new Monitors(Require.ALL, List.of(monitors));
  }

  /**
   * Several of which one has to be content.
   *
   * @param monitors 1 to {@link #MOST}
   * @return their list
   */
  public static Monitors anyOf(Monitor... monitors) {
    return new Monitors(Require.ANY, List.of(monitors));
  }
}

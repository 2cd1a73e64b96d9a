package io.lb4j.service;

import java.util.List;

/**
 * What a plan does to one service. Immutable, shared.
 *
 * @param service its name
 * @param kind what happens to it
 * @param settings that differ, by their names in configuration files; for a changed service
 * @param servers those that are added, removed or changed, and those whose flows fare otherwise than before
 */
public record ServiceChange(String service, Kind kind, List<String> settings, List<ServerChange> servers) {
  /** What happens to a service or a server. */
  public enum Kind {
    /** It is new. */
    ADDED,
    /** It goes. */
    REMOVED,
    /** Its settings differ. */
    CHANGED,
    /** Its settings stay; something around it changes. */
    SAME
  }

  /**
   * What a plan does to one server.
   *
   * @param server its name, the new one where it has changed
   * @param kind what happens to it; a server is known by its address and port
   * @param flows that it has now
   * @param effect what becomes of them
   */
  public record ServerChange(String server, Kind kind, long flows, FlowEffect effect) {}

  /** Unmodifiable lists. */
  public ServiceChange {
    settings = List.copyOf(settings);
    servers = List.copyOf(servers);
  }
}

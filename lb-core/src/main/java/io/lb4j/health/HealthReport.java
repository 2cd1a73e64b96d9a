package io.lb4j.health;

import io.lb4j.service.Health;

/**
 * What somebody says of a server's health. Each source speaks for itself, and its word holds until its next: a server
 * is down when one of them says so. Immutable, shared.
 *
 * @param service name of the server's service
 * @param identity what the server is called on every instance
 * @param source who says it
 * @param health what is said
 * @param reason a stable code
 * @param detail in words; may be empty
 */
public record HealthReport(
    String service, String identity, Source source, Health health, String reason, String detail) {
  /** Who speaks of a server's health. */
  public enum Source {
    /** The host, see {@code ServerControl.report}. */
    HOST,
    /** The monitors. */
    MONITORS,
    /** The clients' connections: it can say that a server is down, never that it is up. */
    OBSERVATION
  }
}

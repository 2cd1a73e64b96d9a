package io.lb4j.service;

/**
 * The health by which a server is used, and why. Immutable, shared.
 *
 * @param health as it counts for traffic
 * @param reason a stable code, for example {@code answered}, {@code refused}, {@code no-handshakes}, or {@code held}
 *     for a server that a watermark keeps in use; empty while nobody has spoken
 * @param detail in words; may be empty
 */
public record ServerHealth(Health health, String reason, String detail) {
  /** Nobody has spoken. */
  public static final ServerHealth UNKNOWN = new ServerHealth(Health.UNKNOWN, "", "");
}

package io.lb4j.service;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;

/**
 * What becomes of established flows whose server is not to be used any more. Immutable, shared.
 *
 * @param tcp of connections
 * @param udp of UDP flows
 */
public record LostFlows(Fate tcp, Fate udp) {
  /** Of a server that monitors call down: connections may live on behind a monitor's back, datagrams go elsewhere. */
  public static final LostFlows WHEN_DOWN = new LostFlows(Fate.KEEP, Fate.REPICK);

  /** Of a server that was removed or is offline. */
  public static final LostFlows WHEN_REMOVED = new LostFlows(Fate.DROP, Fate.REPICK);

  /** What becomes of one flow with its next packet. A SYN is scheduled anew in any case. */
  public enum Fate {
    /** It stays where it is. Not for a server that was removed. */
    KEEP,
    /** It is dropped. */
    DROP,
    /** Its sender is reset; a UDP sender is told that the port is unreachable. */
    RESET,
    /** The scheduler picks another server, which itself resets a connection that it does not know. */
    REPICK
  }

  /** Refuses to keep flows of servers that are gone. */
  LostFlows whenRemoved(String setting) {
    if (tcp == Fate.KEEP || udp == Fate.KEEP) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED, setting, Fate.KEEP, "a server that was removed cannot keep flows");
    }
    return this;
  }

  /**
   * By protocol.
   *
   * @param isTcp whether the flow is a connection
   * @return what becomes of it
   */
  public Fate of(boolean isTcp) {
    return isTcp ? tcp : udp;
  }
}

package io.lb4j.monitor;

/**
 * A way of the host's own to find out whether a server is well. Called on a probe thread, never on one that moves
 * frames, for different servers at the same time. When its time is over the thread is interrupted and what it answers
 * later is not looked at; until it returns, the server is not probed by it again.
 */
@FunctionalInterface
public interface Probe {
  /**
   * Looks after one server.
   *
   * @param target which, and how long that may take
   * @return what was found
   * @throws Exception counts as {@link ProbeReason#FAILED}, with its message
   */
  ProbeResult probe(ProbeTarget target) throws Exception;
}

package io.lb4j.forward;

import io.lb4j.flow.FlowState;
import org.jspecify.annotations.Nullable;

/** What a translator asks and tells about the sessions of services. Owned by one worker. */
public interface SessionAccounting {
  /** The answer of {@link #way} when a session's frames have to be walked. */
  long NO_WAY = -1;

  /**
   * How long a session may be silent.
   *
   * @param binding of the session
   * @param state of the session
   * @return ticks of {@link io.lb4j.flow.FlowTable#TICK_NS}; negative when the binding is gone
   */
  int timeoutTicks(int binding, FlowState state);

  /**
   * Whether a binding is there. If it is, none of its time-outs is below a second, and they need not be asked for
   * sessions of {@link io.lb4j.flow.FlowTable#FRESH_TICKS}.
   *
   * @param binding of a session
   * @return false when its sessions are to be judged by {@link #timeoutTicks}
   */
  default boolean isKnown(int binding) {
    return false;
  }

  /**
   * Where the server of a session is, if frames of known sessions need nothing else to be asked: the service is enabled
   * and admits everybody, the server keeps its sessions.
   *
   * @param binding of the session
   * @return interface and next hop as {@link Egress#route} answers them, or {@link #NO_WAY}
   */
  default long way(int binding) {
    return NO_WAY;
  }

  /**
   * A frame of a known session was forwarded by the short way.
   *
   * @param binding of the session
   * @param reply whether it came from the server
   * @param length of the frame
   */
  default void onFrame(int binding, boolean reply, int length) {}

  /**
   * A session began; it is active.
   *
   * @param binding of the session
   */
  void onBegin(int binding);

  /**
   * The server of a binding, for a session that is taken over.
   *
   * @param binding of the session
   * @return where it is; null when the binding is gone
   */
  default @Nullable ForwardTarget target(int binding) {
    return null;
  }

  /**
   * A session that began elsewhere was taken over.
   *
   * @param binding of the session
   * @param active whether it has not begun to close
   */
  default void onRestored(int binding, boolean active) {}

  /**
   * A session began to close, or lives again.
   *
   * @param binding of the session
   * @param change 1 or -1
   */
  void onActiveChange(int binding, int change);

  /**
   * Whether a session that began to close may live again: it needs a place like a new one. Where the answer is true,
   * {@link #onActiveChange} has to follow at once.
   *
   * @param binding of the session
   * @return false when limits leave no place; the session stays as it is then
   */
  default boolean mayLiveAgain(int binding) {
    return true;
  }

  /**
   * A session left the table.
   *
   * @param binding of the session
   * @param active whether it had not begun to close
   * @param v6 the family
   * @param clientHigh first 64 bits of the client's address, 0 for IPv4
   * @param clientLow last 64 bits, or the IPv4 address
   * @param port of the service that the client uses; 0 for an ICMP query
   * @param replaced whether another session takes its place now
   */
  void onEnd(int binding, boolean active, boolean v6, long clientHigh, long clientLow, int port, boolean replaced);

  /**
   * The sweep found a session alive.
   *
   * @param binding of the session
   * @param v6 the family
   * @param clientHigh first 64 bits of the client's address, 0 for IPv4
   * @param clientLow last 64 bits, or the IPv4 address
   * @param port of the service that the client uses; 0 for an ICMP query
   */
  void onAlive(int binding, boolean v6, long clientHigh, long clientLow, int port);

  /**
   * Whether both ends are to be reset when an established session of the binding was silent for too long.
   *
   * @param binding of the session
   * @return false by default
   */
  default boolean resetsOnIdle(int binding) {
    return false;
  }

  /**
   * An established session of a binding that {@link #resetsOnIdle} was silent for too long.
   *
   * @param binding of the session
   * @param told whether both ends were sent a reset; not when one's next sequence number is unknown
   */
  default void onIdle(int binding, boolean told) {}

  /**
   * A server answered the first SYN of a session with a SYN that acknowledges it.
   *
   * @param binding of the session
   * @param elapsedNs between both; negative when it was not measured
   */
  default void onServerAnswered(int binding, long elapsedNs) {}

  /**
   * A client repeated its SYN: the server has not answered it, or the answer was lost.
   *
   * @param binding of the session
   */
  default void onSynRepeated(int binding) {}

  /**
   * A server answered the first SYN of a session with a reset.
   *
   * @param binding of the session
   */
  default void onServerRefused(int binding) {}
}

package io.lb4j.forward;

import io.lb4j.flow.FlowRecord;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one worker whose both directions pass the balancer, and what crosses it without being a service's.
 * Owned by that worker; allocates nothing in the steady state and never throws.
 *
 * <p>The data path asks for a frame's session first. Where there is one, policy (is the server still there?) stays the
 * data path's and translation is the translator's. Where there is none and a service wants the frame, the data path
 * chooses the server and lets the session be opened. What no service wants is the translator's alone.
 */
public interface Translator {
  /** No session. */
  int MISS = -1;

  /**
   * Takes over the services of a new snapshot.
   *
   * @param services all services, of whichever method
   */
  void adopt(List<VirtualService> services);

  /**
   * Sets the burst's time and output.
   *
   * @param nowNs the time
   * @param out takes frames of the translator's own
   */
  void begin(long nowNs, FrameOutput out);

  /**
   * Asks for the memory of a frame's session, so that many are on their way together.
   *
   * @param view a segment with its hash
   * @return a word of that memory; add it up, so that the compiler keeps the load
   */
  int touch(FrameView view);

  /**
   * Translates frames of known sessions that need nothing but that. Frames that have to be walked are not touched. A
   * translator without such a short way knows of none.
   *
   * @param views of a batch
   * @param frames the set to look at, one bit each, see {@link io.lb4j.frame.FrameStep}: {@linkplain FrameView#isUsual
   *     usual} ones to our MAC addresses, hashed and without a verdict
   * @return those that certainly have no session; of the others, those that have a verdict now were translated
   */
  default int forward(FrameView[] views, int frames) {
    return frames;
  }

  /**
   * The session of a segment or first fragment.
   *
   * @param view with its hash
   * @return a handle, valid until the next call that can end sessions; or {@link #MISS}, also when its time is over
   */
  int find(FrameView view);

  /**
   * The session of an ICMP query or its answer, whole or a first fragment.
   *
   * @param view any IP packet
   * @return a handle as from {@link #find}; or {@link #MISS}, also for all that is no query
   */
  int findQuery(FrameView view);

  /**
   * The service and server of a session.
   *
   * @param session a handle
   * @return a binding id; 0 when it is no service's
   */
  int binding(int session);

  /**
   * Which direction the handle is for.
   *
   * @param session a handle
   * @return true for frames towards the side that began the session
   */
  boolean isReply(int session);

  /**
   * Whether a frame on a known session of a service is the beginning of another one from the same port.
   *
   * @param view of the session
   * @param session a handle
   * @param takesNewFlows whether the session's server may be given new ones
   * @return true when the session is to be ended and the frame scheduled anew
   */
  boolean beginsAnew(FrameView view, int session, boolean takesNewFlows);

  /**
   * Ends a session.
   *
   * @param session a handle, void from now on
   */
  void end(int session);

  /**
   * Records a frame of a known session, translates it and sends it on.
   *
   * @param view of the session
   * @param session a handle
   * @return how the frame ended
   */
  Verdict translate(FrameView view, int session);

  /**
   * Whether a packet to a service comes from an inside host, whose source has to be translated before the service sees
   * it: else the server would answer its neighbour directly (RFC 4787, REQ-9).
   *
   * @param view to a service
   * @return true when {@link #hairpin} is to have it first
   */
  boolean mustLoop(FrameView view);

  /**
   * Opens a session that translates the source of an inside host's packet to an address of ours, and sends it round.
   *
   * @param view a segment or first fragment for which {@link #mustLoop} is true
   * @return how the frame ended
   */
  Verdict hairpin(FrameView view);

  /**
   * Opens a session of a service with its first frame, translates it and sends it on.
   *
   * @param view a segment, a first fragment or an echo request, to a virtual address
   * @param binding of the chosen server
   * @param target the chosen server
   * @param forwarding the service's method
   * @return how the frame ended
   */
  Verdict open(FrameView view, int binding, ForwardTarget target, TranslatedForwarding forwarding);

  /**
   * A packet that no service wants and that is to no interface address: traffic that servers start, answers to it,
   * and what is to be refused.
   *
   * @param view any IP packet but an ICMP error
   * @return how the frame ended; null when it is to a virtual address and none of the translator's
   */
  @Nullable Verdict onUnserved(FrameView view);

  /**
   * Routes a packet that keeps its addresses and has no session: a reply of a direct service's server.
   *
   * @param view any IP packet
   * @return how the frame ended
   */
  Verdict route(FrameView view);

  /**
   * An ICMP error.
   *
   * @param view with a right checksum
   * @return how the frame ended; null when it is about none of the translator's sessions
   */
  @Nullable Verdict onIcmpError(FrameView view);

  /**
   * Sends a later fragment the way of its first one.
   *
   * @param view the fragment
   * @param path what the first one's header became
   * @return how the frame ended
   */
  Verdict follow(FrameView view, TranslatedHeader path);

  /**
   * Does what time asks for.
   *
   * @param nowNs the time
   * @param budget entries of the session table that may be visited
   * @return when to call again; compare as {@code deadline - now < 0}
   */
  long tick(long nowNs, int budget);

  /**
   * How often every session has been looked at since the beginning.
   *
   * @return a count of complete rounds
   */
  long rounds();

  /**
   * Frames that wait.
   *
   * @return 0 or more
   */
  int held();

  /**
   * Sessions held now.
   *
   * @return 0 or more
   */
  int sessions();

  /**
   * Sessions that gave way to new ones before their time was over.
   *
   * @return a count since the beginning
   */
  default long evictions() {
    return 0;
  }

  /**
   * Lists sessions, a part of the table at a time. A session that is there from the first call to the last is listed;
   * one that others make move meanwhile may come twice.
   *
   * @param cursor 0 at first, then the last answer
   * @param slots entries of the table to look at
   * @param to takes each session; must not end any
   * @return where to go on; negative when the table is through
   */
  default int list(int cursor, int slots, Consumer<FlowRecord> to) {
    return -1;
  }

  /**
   * Ends the session of a record, if there still is one.
   *
   * @param record as listed
   * @return whether one was ended
   */
  default boolean end(FlowRecord record) {
    return false;
  }

  /**
   * Takes a saved session over. No other one gives way to it.
   *
   * @param record as listed by this or another instance, its binding one of this instance
   * @return false when there is no room, when its addresses or ports are not ours any more or somebody else's, when it
   *     exists, when its time is over, or when its packets come to another worker
   */
  default boolean restore(FlowRecord record) {
    return false;
  }

  /**
   * Ends all frames that wait: no other will follow, or the balancer has become passive.
   *
   * @param verdict how they end
   */
  void endHeld(Verdict verdict);
}

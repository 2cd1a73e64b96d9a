package io.lb4j.counters;

import io.lb4j.frame.Verdict;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * What one worker counts. Written by that worker only, with opaque stores that cost what plain ones do; read from any
 * thread, each count exact, several of them not at one instant unless the worker rests.
 *
 * <p>Two laws hold whenever the worker rests, per interface and in sum:
 *
 * <pre>
 *   received                          = sum of final verdicts + held now
 *   forwarded + answered + originated = transmitted + refused by the port
 * </pre>
 *
 * The second is about frames the balancer sends itself; where a host takes frames out of the data path, the host counts
 * them. With several workers both hold in sum: a frame that one worker hands over to another is counted as received by
 * the first, its verdict by the last, and it is held in between.
 */
public final class WorkerCounters {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  /** Cells of an interface: one per verdict, then these. */
  private static final int RECEIVED = Verdict.count();

  private static final int RECEIVED_BYTES = RECEIVED + 1;
  private static final int ORIGINATED = RECEIVED + 2;
  private static final int TRANSMITTED = RECEIVED + 3;
  private static final int TRANSMITTED_BYTES = RECEIVED + 4;
  private static final int REFUSED = RECEIVED + 5;
  private static final int HANDED_OVER = RECEIVED + 6;
  private static final int STRIDE = (RECEIVED + 7 + 7) / 8 * 8 + 8;


  // cells of a binding, in three arrays: so few that those which every frame counts in stay in the caches
  private static final int TRAFFIC_STRIDE = 4;
  private static final int FRAMES = 0;
  private static final int BYTES = 1;
  private static final int REPLY_FRAMES = 2;
  private static final int REPLY_BYTES = 3;

  private static final int FLOW_STRIDE = 4;
  private static final int NEW_FLOWS = 0;
  private static final int FLOWS = 1;
  private static final int ACTIVE = 2;
  private static final int MOVED_FLOWS = 3;

  private static final int EVENT_STRIDE = 8;
  private static final int ANSWERED = 0;
  private static final int SILENT = 1;
  private static final int REFUSED_BY_SERVER = 2;
  private static final int TIMED = 3;
  private static final int TIME_NS = 4;
  private static final int IDLE_RESETS = 5;
  private static final int IDLE_UNTOLD = 6;
  private static final int LOST_FRAMES = 7;

  private final long[] links;
  private final int linkCount;
  private volatile long[] traffic = new long[TRAFFIC_STRIDE];
  private volatile long[] flows = new long[FLOW_STRIDE];
  private volatile long[] events = new long[EVENT_STRIDE];

  static {
    assert STRIDE >= HANDED_OVER + 1 : "an interface's cells do not fit";
  }

  /**
   * Counters at 0.
   *
   * @param linkCount number of interfaces
   */
  public WorkerCounters(int linkCount) {
    this.linkCount = linkCount;
    this.links = new long[linkCount * STRIDE];
  }

  private static void add(long[] cells, int index, long amount) {
    CELL.setOpaque(cells, index, (long) CELL.get(cells, index) + amount);
  }

  private static long read(long[] cells, int index) {
    return (long) CELL.getOpaque(cells, index);
  }

  /**
   * Makes room for bindings up to an id. Called by the worker when it adopts a snapshot.
   *
   * @param highest binding id
   */
  public void reserve(int highest) {
    int bindings = highest + 1;
    traffic = grown(traffic, bindings * TRAFFIC_STRIDE);
    flows = grown(flows, bindings * FLOW_STRIDE);
    events = grown(events, bindings * EVENT_STRIDE);
  }

  private static long[] grown(long[] cells, int needed) {
    return needed <= cells.length ? cells : Arrays.copyOf(cells, Math.max(needed, cells.length * 2));
  }

  /**
   * Counts a frame that came in.
   *
   * @param link interface index
   * @param length bytes
   */
  public void onReceived(int link, int length) {
    onReceived(link, 1, length);
  }

  /**
   * Counts frames that came in.
   *
   * @param link interface index
   * @param frames how many
   * @param bytes of all of them
   */
  public void onReceived(int link, int frames, long bytes) {
    int base = link * STRIDE;
    add(links, base + RECEIVED, frames);
    add(links, base + RECEIVED_BYTES, bytes);
  }

  /**
   * Counts frames with the verdict {@link Verdict#FORWARD}.
   *
   * @param link interface they came in by
   * @param frames how many
   */
  public void onForwarded(int link, int frames) {
    add(links, link * STRIDE + Verdict.FORWARD.ordinal(), frames);
  }

  /**
   * Counts a verdict; {@link Verdict#HOLD} too, which is not final.
   *
   * @param link interface the frame came in by
   * @param verdict how it ended
   */
  public void onVerdict(int link, Verdict verdict) {
    add(links, link * STRIDE + verdict.ordinal(), 1);
  }

  /**
   * Counts a frame on its way from one worker to another.
   *
   * @param link interface the frame came in by
   * @param change 1 when it was handed over, -1 when it was taken over; the two are counted by different workers
   */
  public void onHandOver(int link, int change) {
    add(links, link * STRIDE + HANDED_OVER, change);
  }

  /**
   * Counts a frame that the balancer made of itself, or takes one back that turned out to be an answer or a frame that
   * was held, which have verdicts.
   *
   * @param link interface it leaves by
   * @param change 1 or -1
   */
  public void onOriginated(int link, int change) {
    add(links, link * STRIDE + ORIGINATED, change);
  }

  /**
   * Counts a frame that the port took.
   *
   * @param link interface it left by
   * @param length bytes
   */
  public void onTransmitted(int link, int length) {
    int base = link * STRIDE;
    add(links, base + TRANSMITTED, 1);
    add(links, base + TRANSMITTED_BYTES, length);
  }

  /**
   * Moves frames that the port had taken and then refused at its flush.
   *
   * @param link interface they should have left by
   * @param frames how many
   */
  public void onRefusedAtFlush(int link, int frames) {
    add(links, link * STRIDE + TRANSMITTED, -frames);
    add(links, link * STRIDE + REFUSED, frames);
  }

  /**
   * Counts a frame that the port refused.
   *
   * @param link interface it should have left by
   */
  public void onRefused(int link) {
    add(links, link * STRIDE + REFUSED, 1);
  }

  /**
   * Counts a client's frame on its way to a server.
   *
   * @param binding of the flow
   * @param length bytes of the frame
   */
  public void onServerFrame(int binding, int length) {
    long[] cells = traffic;
    int base = binding * TRAFFIC_STRIDE;
    add(cells, base + FRAMES, 1);
    add(cells, base + BYTES, length);
  }

  /**
   * Counts a server's frame on its way to a client.
   *
   * @param binding of the session
   * @param length bytes of the frame
   */
  public void onReplyFrame(int binding, int length) {
    long[] cells = traffic;
    int base = binding * TRAFFIC_STRIDE;
    add(cells, base + REPLY_FRAMES, 1);
    add(cells, base + REPLY_BYTES, length);
  }

  /**
   * Counts a frame of a flow that its server does not keep, being down, offline or gone.
   *
   * @param binding of the flow
   * @param moved whether the flow is scheduled anew; else the frame is dropped or answered with a reset
   */
  public void onLost(int binding, boolean moved) {
    long[] cells = moved ? flows : events;
    int index = moved ? binding * FLOW_STRIDE + MOVED_FLOWS : binding * EVENT_STRIDE + LOST_FRAMES;
    if (index < cells.length) {
      add(cells, index, 1);
    }
  }

  /**
   * Counts a new flow; it is active.
   *
   * @param binding of the flow
   */
  public void onFlowBegin(int binding) {
    long[] cells = flows;
    int base = binding * FLOW_STRIDE;
    add(cells, base + NEW_FLOWS, 1);
    add(cells, base + FLOWS, 1);
    add(cells, base + ACTIVE, 1);
  }

  /**
   * Counts a flow that began elsewhere and was taken over; it is none of the new ones, and not active yet.
   *
   * @param binding of the flow
   */
  public void onFlowRestored(int binding) {
    add(flows, binding * FLOW_STRIDE + FLOWS, 1);
  }

  /**
   * Counts a flow that became active again, or is no longer.
   *
   * @param binding of the flow
   * @param change 1 or -1
   */
  public void onActiveChange(int binding, int change) {
    add(flows, binding * FLOW_STRIDE + ACTIVE, change);
  }

  /**
   * Counts a flow that left the table.
   *
   * @param binding of the flow
   */
  public void onFlowEnd(int binding) {
    add(flows, binding * FLOW_STRIDE + FLOWS, -1);
  }

  /**
   * Counts a handshake that a server answered.
   *
   * @param binding of the flow
   * @param elapsedNs between SYN and answer; negative when it was not measured
   */
  public void onServerAnswered(int binding, long elapsedNs) {
    long[] cells = events;
    int base = binding * EVENT_STRIDE;
    add(cells, base + ANSWERED, 1);
    if (elapsedNs >= 0) {
      add(cells, base + TIMED, 1);
      add(cells, base + TIME_NS, elapsedNs);
    }
  }

  /**
   * Counts a sign that a server does not answer: a repeated SYN, or one that led nowhere.
   *
   * @param binding of the flow
   */
  public void onServerSilent(int binding) {
    add(events, binding * EVENT_STRIDE + SILENT, 1);
  }

  /**
   * Counts a reset in answer to a SYN.
   *
   * @param binding of the flow
   */
  public void onServerRefused(int binding) {
    add(events, binding * EVENT_STRIDE + REFUSED_BY_SERVER, 1);
  }

  /**
   * Counts a connection that was silent for too long and of which both ends were to be reset.
   *
   * @param binding of the flow
   * @param told whether they were
   */
  public void onIdle(int binding, boolean told) {
    add(events, binding * EVENT_STRIDE + (told ? IDLE_RESETS : IDLE_UNTOLD), 1);
  }

  /**
   * What a server's handshakes tell of its health.
   *
   * @param binding of the server
   * @return a snapshot
   */
  public HandshakeCounts handshakes(int binding) {
    long[] cells = events;
    int base = binding * EVENT_STRIDE;
    if (base >= cells.length) {
      return HandshakeCounts.ZERO;
    }
    return new HandshakeCounts(
        read(cells, base + ANSWERED),
        read(cells, base + SILENT),
        read(cells, base + REFUSED_BY_SERVER),
        read(cells, base + TIMED),
        read(cells, base + TIME_NS));
  }

  /**
   * Active flows of a server: those that have not begun to close.
   *
   * @param binding of the server
   * @return 0 or more
   */
  public int active(int binding) {
    long[] cells = flows;
    int index = binding * FLOW_STRIDE + ACTIVE;
    return index < cells.length ? (int) read(cells, index) : 0;
  }

  /**
   * Number of interfaces.
   *
   * @return as given
   */
  public int linkCount() {
    return linkCount;
  }

  /**
   * Frames that ended with a verdict.
   *
   * @param link interface they came in by
   * @param verdict which
   * @return a count
   */
  public long verdicts(int link, Verdict verdict) {
    return read(links, link * STRIDE + verdict.ordinal());
  }

  /**
   * Frames that this worker handed over less those that it took over: over all workers, those on their way.
   *
   * @return a count, negative for a worker that takes over more
   */
  public long handedOver() {
    long sum = 0;
    for (int link = 0; link < linkCount; link++) {
      sum += read(links, link * STRIDE + HANDED_OVER);
    }
    return sum;
  }

  /**
   * The counts of an interface.
   *
   * @param link its index
   * @return a snapshot
   */
  public LinkCounts link(int link) {
    int base = link * STRIDE;
    return new LinkCounts(
        read(links, base + RECEIVED),
        read(links, base + RECEIVED_BYTES),
        read(links, base + ORIGINATED),
        read(links, base + TRANSMITTED),
        read(links, base + TRANSMITTED_BYTES),
        read(links, base + REFUSED));
  }

  /**
   * The counts of a server.
   *
   * @param binding of the server
   * @return a snapshot
   */
  public ServerCounts server(int binding) {
    long[] rare = events; // the last to grow: the others have room for what it has room for
    long[] frames = traffic;
    long[] connections = flows;
    if (binding * EVENT_STRIDE >= rare.length) {
      return ServerCounts.ZERO;
    }
    int inTraffic = binding * TRAFFIC_STRIDE;
    int inFlows = binding * FLOW_STRIDE;
    int inEvents = binding * EVENT_STRIDE;
    return new ServerCounts(
        read(frames, inTraffic + FRAMES),
        read(frames, inTraffic + BYTES),
        read(connections, inFlows + NEW_FLOWS),
        read(connections, inFlows + FLOWS),
        read(connections, inFlows + ACTIVE),
        read(rare, inEvents + IDLE_RESETS),
        read(rare, inEvents + IDLE_UNTOLD),
        read(frames, inTraffic + REPLY_FRAMES),
        read(frames, inTraffic + REPLY_BYTES),
        read(connections, inFlows + MOVED_FLOWS),
        read(rare, inEvents + LOST_FRAMES));
  }
}

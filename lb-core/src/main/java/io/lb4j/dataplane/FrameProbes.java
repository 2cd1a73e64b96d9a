package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.IcmpQuote;
import io.lb4j.monitor.FrameProber;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.neighbor.LinkLayer;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.topology.Topology;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.IpProtocol;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Probes that are frames of an interface address of ours, and the answers to them. Safe from any thread: a slow path
 * under one lock. The first worker sends, repeats and gives up as time asks for it; an answer may come to any worker
 * and is recognized there, by the port or echo identifier that a probe has for itself. While no probe is in flight, a
 * worker reads one number, and only for a frame that neither a flow nor a service wants.
 *
 * <p>An answer has to be exact: addresses and ports, the acknowledgment of our sequence number, identifier, sequence
 * and data of an echo, the first 8 bytes of the packet that an ICMP error quotes, and of a datagram the identification
 * or flow label. All else goes on as if nothing had been asked. A kernel beside us sees the answers too, and resets a
 * connection that it knows nothing of. That is harmless: so do we, and nothing else is to become of it.
 *
 * <p>At most {@value #MAXIMUM_IN_FLIGHT} probes are in flight; one more {@linkplain ProbeReason#FAILED fails} at once.
 */
public final class FrameProbes implements FrameProber {
  /** Probes in flight at most. */
  public static final int MAXIMUM_IN_FLIGHT = ProbeTable.CAPACITY;

  private static final Logger LOG = LoggerFactory.getLogger(FrameProbes.class);
  private static final Duration LONGEST = Duration.ofHours(1);
  private static final long NOTHING_DUE_NS = 1L << 62;

  private final Object lock = new Object();
  private final Topology topology;
  private final SplittableRandom random;
  private final ProbeTable table;
  private final ProbeSender sender;
  private boolean closed;
  private @Nullable Consumer<WorkerCommand> firstWorker;

  /**
   * Nothing in flight.
   *
   * @param topology interfaces and routes
   * @param neighbors shared by all workers
   * @param linkLayer shared by all workers
   * @param allocator for frames
   * @param seed of ports, sequence numbers and data
   */
  public FrameProbes(
      Topology topology, NeighborTable neighbors, LinkLayer linkLayer, ByteBufAllocator allocator, long seed) {
    this.topology = topology;
    this.random = new SplittableRandom(seed).split();
    this.table = new ProbeTable(random);
    this.sender = new ProbeSender(neighbors, linkLayer, allocator);
  }

  /** Says who sends, before anything is asked. */
  void sendBy(Consumer<WorkerCommand> worker) {
    firstWorker = worker;
  }

  // ---- for control ---------------------------------------------------------------------------------------------

  @Override
  public void ping(IpAddress server, Duration timeout, Consumer<ProbeResult> done) {
    long timeoutNs = nanos(timeout);
    begin(number -> new EchoProbe(number, server, timeoutNs, done), done);
  }

  @Override
  public void direct(
      IpAddress vip, int port, boolean tcp, IpAddress server, Duration timeout, Consumer<ProbeResult> done) {
    long timeoutNs = nanos(timeout);
    if (port < 1 || port > 0xFFFF) {
      throw new IllegalArgumentException("not a port: " + port);
    }
    begin(number -> new DirectProbe(number, vip, port, tcp, server, timeoutNs, done), done);
  }

  private static long nanos(Duration timeout) {
    if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("a time-out is more than 0 and at most an hour: " + timeout);
    }
    return timeout.toNanos();
  }

  private void begin(IntFunction<Probe> maker, Consumer<ProbeResult> done) {
    Probe probe;
    String refusal;
    synchronized (lock) {
      refusal = closed ? "the balancer is closed" : MAXIMUM_IN_FLIGHT + " probes are in flight already";
      probe = closed ? null : table.add(maker);
    }
    if (probe == null) {
      done.accept(ProbeResult.failed(ProbeReason.FAILED, refusal));
    } else {
      firstWorker.accept((path, nowNs, out) -> start(probe, nowNs, out));
    }
  }

  /** Ends all that is in flight. */
  void close() {
    List<Probe> ended;
    synchronized (lock) {
      closed = true;
      ended = table.clear();
      ended.forEach(sender::forget);
      ended.forEach(probe -> probe.failed(ProbeReason.FAILED, "the balancer was closed meanwhile"));
    }
    ended.forEach(FrameProbes::tell);
  }

  private static void tell(Probe ended) {
    try {
      ended.done.accept(ended.result);
    } catch (RuntimeException | Error e) {
      LOG.error("nobody could be told that a probe ended with {}", ended.result, e);
    }
  }

  // ---- for the first worker ------------------------------------------------------------------------------------

  private void start(Probe probe, long nowNs, FrameOutput out) {
    boolean ended = false;
    synchronized (lock) {
      if (table.contains(probe)) {
        probe.result = probe.prepare(topology, random);
        ended = endIfOver(probe);
        if (!ended) {
          sender.start(probe, nowNs, out);
        }
      }
    }
    if (ended) {
      tell(probe);
    }
  }

  private boolean endIfOver(Probe probe) {
    if (probe.result == null) {
      return false;
    }
    table.remove(probe);
    sender.forget(probe);
    return true;
  }

  /** Whether {@link #tick} has something to do: one read while nothing is in flight. */
  boolean isDue(long nowNs) {
    return !table.isEmpty() && sender.isDue(nowNs);
  }

  /**
   * Sends what is due and ends what is over.
   *
   * @return when to call again at the latest
   */
  long tick(long nowNs, FrameOutput out) {
    if (table.isEmpty()) {
      return nowNs + NOTHING_DUE_NS;
    }
    List<Probe> ended = new ArrayList<>();
    long deadlineNs;
    synchronized (lock) {
      sender.sendWaiting(nowNs, out);
      for (Probe over = sender.nextOver(nowNs, out); over != null; over = sender.nextOver(nowNs, out)) {
        over.result = over.atEnd();
        endIfOver(over);
        ended.add(over);
      }
      deadlineNs = sender.deadlineNs(nowNs);
    }
    ended.forEach(FrameProbes::tell);
    return deadlineNs;
  }

  // ---- for all workers -----------------------------------------------------------------------------------------

  /** Whether probes are in flight: one read. */
  boolean areInFlight() {
    return !table.isEmpty();
  }

  /** Whether a packet to an interface address is an answer to a probe; then it ends here. */
  boolean onAnswer(FrameView view, long nowNs, FrameOutput out) {
    if (view.kind() == FrameKind.SEGMENT) {
      return hear(view.destinationPort(), nowNs, out, probe -> probe.onSegment(view, nowNs));
    }
    return view.kind() == FrameKind.ICMP && onIcmp(view, nowNs, out);
  }

  private boolean onIcmp(FrameView view, long nowNs, FrameOutput out) {
    int type = view.icmpType();
    boolean quotes = IcmpHeader.isError(view.isV6(), type) || !view.isV6() && type == IcmpHeader.REDIRECT;
    if (quotes) {
      long quote = IcmpQuote.find(view);
      return quote != IcmpQuote.UNREADABLE
          && IcmpMessages.checksumIsRight(view)
          && hear(quotedNumber(view, quote), nowNs, out, probe -> probe.onQuote(view, quote, nowNs));
    }
    return type == (view.isV6() ? IcmpHeader.V6_ECHO_REPLY : IcmpHeader.ECHO_REPLY)
        && IcmpMessages.checksumIsRight(view)
        && hear(identifier(view.buffer(), view.transport()), nowNs, out, probe -> probe.onEchoReply(view, nowNs));
  }

  /** Whether a packet to a virtual address, from an interface address of ours, is a probe that was sent on. */
  boolean onReturn(FrameView view, long nowNs, FrameOutput out) {
    int number =
        switch (view.kind()) {
          case SEGMENT -> view.sourcePort();
          case ICMP -> IcmpMessages.isEchoRequest(view) ? identifier(view.buffer(), view.transport()) : 0;
          default -> 0;
        };
    return hear(number, nowNs, out, probe -> probe.onReturn(view));
  }

  private static int quotedNumber(FrameView view, long quote) {
    ByteBuf buffer = view.buffer();
    int transport = IcmpQuote.transportOf(quote);
    int protocol = IcmpQuote.protocolOf(quote);
    boolean ports = protocol == IpProtocol.TCP || protocol == IpProtocol.UDP;
    return ports ? buffer.getUnsignedShort(transport) : identifier(buffer, transport);
  }

  private static int identifier(ByteBuf buffer, int icmp) {
    return buffer.getUnsignedShort(icmp + IcmpHeader.IDENTIFIER_OFFSET);
  }

  private boolean hear(int number, long nowNs, FrameOutput out, Predicate<Probe> isAnswer) {
    Probe probe = table.find(number);
    if (probe == null) {
      return false;
    }
    boolean ended;
    boolean earlier;
    synchronized (lock) {
      if (!table.contains(probe) || !probe.sent || !isAnswer.test(probe)) {
        return false;
      }
      ended = endIfOver(probe);
      earlier = !ended && sender.settle(probe);
    }
    if (earlier) {
      firstWorker.accept((path, tickNs, ownFrames) -> {}); // its tick asks for the time anew
    }
    if (ended) {
      ProbePacket farewell = probe.farewell();
      if (farewell != null) {
        sender.transmit(probe, farewell, out);
      }
      tell(probe);
    }
    return true;
  }
}

package io.lb4j.dataplane;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.forward.DirectForwarding;
import io.lb4j.forward.Forwarder;
import io.lb4j.forward.Translator;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.forward.TranslatorProvider;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.HeldFrameListener;
import io.lb4j.neighbor.HeldFrames;
import io.lb4j.neighbor.LinkLayer;
import io.lb4j.neighbor.NeighborSettings;
import io.lb4j.neighbor.NeighborTable;
import io.lb4j.service.Role;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Frames in, verdicts and rewritten frames out: the data path of one worker. Owned by one thread, the worker's or, when
 * the library is embedded without its own I/O, the caller's.
 *
 * <p>Frames are borrowed. A frame handed in stays the caller's and is rewritten in place; the data path keeps copies of
 * those it holds. After {@link Verdict#FORWARD}, and after {@link Verdict#ANSWER} with an egress, the caller sends the
 * frame on the egress interface; after every other verdict there is nothing to send. Frames that the data path makes
 * itself go to the {@link FrameOutput}, which owns them from then on.
 *
 * <p>Time is the caller's: nanoseconds of any monotonic clock, never running backwards. {@link #tick} is to be called
 * when its deadline has come, also while no frames arrive.
 */
public final class DataPath {
  private static final int VISITS_IN_BURST = 64;
  private static final long SECOND_NS = 1_000_000_000L;
  private static final long FRAGMENT_CHECK_NS = SECOND_NS / 4;

  private final Supplier<ForwardingTable> published;
  private final WorkerCounters counters;
  private final FlowTable flows;
  private final FlowAccounting accounting;
  private final LinkLayer linkLayer;
  private final HeldFrames heldFrames;
  private final FragmentTable fragments;
  private final WorkerState state;
  private final RouterErrors errors;
  private final FramePipeline pipeline;
  private final KnownFlows known;
  private final Sweeps sweeps;
  private final WorkerCommands commands = new WorkerCommands();
  private final Parts parts;
  private final boolean timerOwner;
  private final Map<DirectForwarding, Forwarder> forwarders = new HashMap<>();
  private final FrameView single = new FrameView();
  private final CountingOutput counted;
  private final HeldFrameListener heldFrameEnded = this::heldEnded;

  private ForwardingTable table;
  private @Nullable Translator translator;
  private HeldFrameObserver observer = (tag, verdict, ingress, egress, binding, length) -> {};
  private long nextFragmentCheckNs;
  private volatile long adoptedGeneration;

  /** Counts what the data path sends itself; every such frame passes here. */
  private final class CountingOutput implements FrameOutput {
    private FrameOutput target;

    @Override
    public boolean transmit(int interfaceIndex, ByteBuf frame, long marks) {
      int length = frame.readableBytes();
      counters.onOriginated(interfaceIndex, 1);
      boolean sent = target.transmit(interfaceIndex, frame, marks);
      if (sent) {
        counters.onTransmitted(interfaceIndex, length);
      } else {
        counters.onRefused(interfaceIndex);
      }
      return sent;
    }
  }

  /**
   * What a data path is made of.
   *
   * @param published reads the latest snapshot
   * @param topology interfaces and routes
   * @param neighbors shared by all workers
   * @param linkLayer shared by all workers
   * @param probes shared by all workers
   * @param neighborSettings bounds of held frames
   * @param allocator for frames that are held or made
   * @param flowCapacity flows held at most
   * @param overflow what happens to a new flow when there is no room
   * @param flowSeed of the flow table's hash
   * @param schedulerSeed of hashing schedulers
   * @param worker 0..workers-1; the first runs the link layer's timers
   * @param workers how many there are
   * @param nowNs the time
   */
  public record Parts(
      Supplier<ForwardingTable> published,
      Topology topology,
      NeighborTable neighbors,
      LinkLayer linkLayer,
      FrameProbes probes,
      NeighborSettings neighborSettings,
      ByteBufAllocator allocator,
      int flowCapacity,
      FlowTableOverflow overflow,
      long flowSeed,
      long schedulerSeed,
      int worker,
      int workers,
      long nowNs) {}

  /**
   * A data path that works by the latest snapshot.
   *
   * @param parts what it is made of
   */
  public DataPath(Parts parts) {
    this.published = parts.published();
    this.timerOwner = parts.worker() == 0;
    this.linkLayer = parts.linkLayer();
    this.counters = new WorkerCounters(parts.topology().links().size());
    this.counted = new CountingOutput();
    this.accounting = new FlowAccounting(counters);
    this.flows =
        new FlowTable(parts.flowCapacity(), parts.overflow(), parts.flowSeed(), parts.nowNs(), accounting);
    this.heldFrames =
        new HeldFrames(parts.neighbors(), parts.topology().links(), parts.neighborSettings(), parts.allocator());
    this.fragments = new FragmentTable(parts.allocator(), parts.flowSeed());
    this.parts = parts;
    RouteTable routes = new RouteTable(parts.topology(), parts.neighbors(), parts.flowSeed());
    this.state =
        new WorkerState(
            counters,
            flows,
            new FlowHash(parts.flowSeed()),
            linkLayer,
            new LinkEgress(
                parts.topology().links(), routes, parts.neighbors(), linkLayer, heldFrames, heldFrameEnded),
            new IcmpMessages(parts.allocator()),
            new TcpResets(parts.allocator()),
            parts.probes(),
            parts.schedulerSeed(),
            parts.flowSeed(),
            parts.topology().links().stream().mapToLong(link -> link.mac().value()).toArray(),
            finishing(parts.topology().links()),
            superFrameMtus(parts.topology().links()),
            parts.worker());
    this.errors = new RouterErrors(state, parts.topology());
    this.pipeline = new FramePipeline(state, accounting, parts.neighbors(), fragments, errors, this::fragmentEnded);
    this.known = new KnownFlows(state, accounting);
    this.sweeps = new Sweeps(flows, accounting, parts.nowNs());
    this.nextFragmentCheckNs = parts.nowNs();
    if (timerOwner) {
      parts.probes().sendBy(this::submit);
    }
    adoptLatest();
  }

  private static boolean[] finishing(List<Link> links) {
    boolean[] finishing = new boolean[links.size()];
    for (Link link : links) {
      finishing[link.index()] = !link.carriesPartialChecksums();
    }
    return finishing;
  }

  private static int[] superFrameMtus(List<Link> links) {
    int[] mtus = new int[links.size()];
    for (Link link : links) {
      mtus[link.index()] = link.carriesGso() ? link.mtu() : 0;
    }
    return mtus;
  }

  /**
   * Works on a batch: every frame of it ends in a verdict.
   *
   * @param batch frames that stay the caller's; their views hold verdict and egress afterwards
   * @param nowNs the time, read once for the batch
   * @param out takes the frames that the data path sends itself; called within this method only
   */
  public void process(FrameBatch batch, long nowNs, FrameOutput out) {
    begin(nowNs, out);
    pipeline.process(batch);
    resolveNextHops(nowNs);
    visit(nowNs, VISITS_IN_BURST);
  }

  /**
   * Works on one frame without marks.
   *
   * @param interfaceIndex where it came from, in the order of declaration
   * @param frame from its reader index to its writer index; stays the caller's, rewritten in place
   * @param nowNs the time
   * @param out takes the frames that the data path sends itself; called within this method only
   * @return the verdict; {@link #last()} has the egress
   */
  public Verdict process(int interfaceIndex, ByteBuf frame, long nowNs, FrameOutput out) {
    return process(interfaceIndex, frame, FrameMarks.NONE, 0, nowNs, out);
  }

  /**
   * Works on one frame.
   *
   * @param interfaceIndex where it came from, in the order of declaration
   * @param frame from its reader index to its writer index; stays the caller's, rewritten in place
   * @param marks what travels beside the bytes
   * @param tag the caller's own number of the frame, see {@link #onHeldFrameEnd}
   * @param nowNs the time
   * @param out takes the frames that the data path sends itself; called within this method only
   * @return the verdict; {@link #last()} has the egress
   */
  public Verdict process(int interfaceIndex, ByteBuf frame, long marks, long tag, long nowNs, FrameOutput out) {
    begin(nowNs, out);
    single.wrap(frame, frame.readerIndex(), frame.readableBytes(), marks, interfaceIndex);
    single.setTag(tag);
    Verdict verdict = pipeline.process(single);
    resolveNextHops(nowNs);
    visit(nowNs, 1);
    return verdict;
  }

  /**
   * Works on a frame that another worker received and handed over. By then it is counted as received; its verdict is
   * counted here.
   *
   * @param view points at the frame; holds verdict and egress afterwards
   * @param reason why it came here
   * @param nowNs the time
   * @param out takes the frames that the data path sends itself; called within this method only
   * @return the verdict
   */
  public Verdict takeOver(FrameView view, HandOver.Reason reason, long nowNs, FrameOutput out) {
    begin(nowNs, out);
    Verdict verdict = pipeline.takeOver(view, reason);
    resolveNextHops(nowNs);
    return verdict;
  }

  /** Looks at some of the flows and sessions, so that what is over ends. */
  private void visit(long nowNs, int most) {
    sweeps.visitFlows(nowNs, most);
    if (translator != null) {
      sweeps.visitSessions(translator, nowNs, most);
    }
  }

  /** Asks at once for the next hops that frames wait for; nothing but three reads while there are none. */
  private void resolveNextHops(long nowNs) {
    if (timerOwner) {
      linkLayer.tick(nowNs, counted);
      if (state.probes.isDue(nowNs)) {
        state.probes.tick(nowNs, counted);
      }
    }
  }

  /**
   * The last single frame.
   *
   * @return its view: verdict, egress and binding
   */
  public FrameView last() {
    return single;
  }

  private void begin(long nowNs, FrameOutput out) {
    if (published.get() != table) {
      adoptLatest();
    }
    counted.target = out;
    at(nowNs);
    if (heldFrames.size() != 0) {
      releaseHeld(nowNs);
    }
  }

  private void at(long nowNs) {
    accounting.at(nowNs);
    pipeline.begin(nowNs, counted);
    flows.catchUp(nowNs);
  }

  private void adoptLatest() {
    boolean wasActive = table != null && table.role() == Role.ACTIVE;
    table = published.get();
    int services = table.allServices().stream().mapToInt(CompiledService::id).max().orElse(-1) + 1;
    Forwarder[] byService = new Forwarder[services];
    for (CompiledService service : table.allServices()) {
      if (service.forwarding() instanceof DirectForwarding direct) {
        byService[service.id()] = forwarders.computeIfAbsent(direct, DirectForwarding::newForwarder);
      }
    }
    if (translator == null) {
      translator = table.translation().map(this::newTranslator).orElse(null);
    }
    pipeline.adopt(table, byService, translator);
    if (wasActive && table.role() == Role.PASSIVE) {
      endHeld(Verdict.PASSIVE);
      flows.markAllStale();
    }
    sweeps.adopt(table);
    adoptedGeneration = table.generation();
  }

  private Translator newTranslator(TranslatorProvider provider) {
    return provider.newTranslator(
        new TranslatorContext(
            parts.topology(),
            state.egress,
            pipeline,
            errors,
            accounting,
            this::fragmentEnded,
            parts.allocator(),
            parts.flowCapacity(),
            parts.overflow(),
            state.flowHash,
            parts.flowSeed(),
            parts.worker(),
            parts.workers(),
            state.nowNs == 0 ? parts.nowNs() : state.nowNs));
  }

  /**
   * Does what time asks for: neighbour requests, announcements, expiry.
   *
   * @param nowNs the time
   * @param out takes the frames that the data path sends itself; called within this method only
   * @return when to call again at the latest, on the same clock; compare as {@code deadline - now < 0}
   */
  public long tick(long nowNs, FrameOutput out) {
    begin(nowNs, out);
    if (commands.isWanted()) {
      commands.run(this, nowNs, counted);
    }
    long deadline = commands.isWanted() ? nowNs : nowNs + SECOND_NS;
    if (timerOwner) {
      deadline = earlier(deadline, linkLayer.tick(nowNs, counted));
      deadline = earlier(deadline, state.probes.tick(nowNs, counted));
    }
    if (heldFrames.size() != 0) {
      releaseHeld(nowNs);
      deadline = earlier(deadline, heldFrames.nextDeadline(nowNs));
    }
    if (nextFragmentCheckNs - nowNs <= 0 || nowNs - nextFragmentCheckNs < -SECOND_NS) {
      pipeline.expireFragments();
      nextFragmentCheckNs = nowNs + FRAGMENT_CHECK_NS;
    }
    if (!fragments.isEmpty()) {
      deadline = earlier(deadline, nextFragmentCheckNs);
    }
    sweeps.visitFlows(nowNs, Sweeps.STEP);
    if (translator != null) {
      deadline = earlier(deadline, sweeps.visitSessions(translator, nowNs, Sweeps.STEP));
    }
    return earlier(deadline, sweeps.nextNs(nowNs));
  }

  /**
   * Asks for something to be done by the thread that owns this data path, with its next {@link #tick}: at once when the
   * balancer has threads of its own. Safe from any thread.
   *
   * @param command called once
   */
  public void submit(WorkerCommand command) {
    commands.submit(command);
  }

  /**
   * Whether {@link #tick} is wanted now, whatever its last deadline.
   *
   * @return true while commands wait
   */
  public boolean hasCommands() {
    return commands.isWanted();
  }

  /**
   * Asks for a command to be run once more, with the next {@link #tick}, so that frames get their turn in between. To
   * be called from within a command, by the thread that owns this data path.
   *
   * @param command that has more to do
   */
  public void again(WorkerCommand command) {
    commands.again(command);
  }

  /**
   * Runs a command at once, and what it asks to be run again, without letting frames pass in between. By the thread
   * that owns this data path, outside of its other methods.
   *
   * @param command what to do; frames that it sends are refused
   * @param nowNs the time
   */
  public void runNow(WorkerCommand command, long nowNs) {
    if (published.get() != table) {
      adoptLatest();
    }
    counted.target = (link, frame, marks) -> false;
    at(nowNs);
    commands.runNow(command, this, nowNs, counted);
  }

  private static long earlier(long a, long b) {
    return a - b < 0 ? a : b;
  }

  private void releaseHeld(long nowNs) {
    heldFrames.release(nowNs, counted, heldFrameEnded);
  }

  /** A frame waited for its next hop; one of our own was counted when it was made. */
  private void heldEnded(long tag, Verdict verdict, int ingress, int egress, int binding, int length) {
    if (ingress < 0) {
      return;
    }
    if (verdict == Verdict.FORWARD) {
      counters.onServerFrame(binding, length);
    }
    fragmentEnded(tag, verdict, ingress, egress, binding, length);
  }

  /** A received frame that was held ended; if it was sent, it went through the output without being our own. */
  private void fragmentEnded(long tag, Verdict verdict, int ingress, int egress, int binding, int length) {
    counters.onVerdict(ingress, verdict);
    if (verdict == Verdict.FORWARD) {
      counters.onOriginated(egress < 0 ? ingress : egress, -1);
    }
    observer.onHeldFrameEnd(tag, verdict, ingress, egress, binding, length);
  }

  /**
   * Lets frames go to the workers that have their flows, as the snapshot's steering says. Without it all frames are
   * this worker's.
   *
   * @param others the way to the other workers; called within this data path's own methods
   */
  public void handOverTo(HandOver others) {
    state.others = others;
  }

  /**
   * Lets super-frames leave by interfaces that do not carry them, because whoever sends the frames cuts these, as
   * {@link SegmentedQueue} does. Otherwise they end with {@link Verdict#GSO_NOT_CARRIED}.
   */
  public void cutSuperFrames() {
    state.egress.cutSuperFrames();
  }

  /**
   * Whether an interface takes super-frames as they are.
   *
   * @param link index of the interface
   * @return false when they have to be cut
   */
  public boolean carriesGso(int link) {
    return state.egress.carriesGso(link);
  }

  /**
   * Hears the final verdict of frames that were held.
   *
   * @param newObserver called within this data path's own methods
   */
  public void onHeldFrameEnd(HeldFrameObserver newObserver) {
    this.observer = newObserver;
  }

  /**
   * Frames that wait for a neighbour or for a first fragment.
   *
   * @return 0 or more
   */
  public int held() {
    return heldFrames.received() + fragments.held() + (translator == null ? 0 : translator.held());
  }

  /**
   * What this worker counts.
   *
   * @return safe to read from any thread
   */
  public WorkerCounters counters() {
    return counters;
  }

  /**
   * The flows this worker knows.
   *
   * @return owned by this worker; sizes may be read from any thread as estimates
   */
  public FlowTable flows() {
    return flows;
  }

  /**
   * Flows and sessions as records.
   *
   * @return owned by this worker
   */
  public KnownFlows known() {
    return known;
  }

  /**
   * The sessions whose both directions pass.
   *
   * @return owned by this worker; null while nothing is translated
   */
  public @Nullable Translator translator() {
    return translator;
  }

  /**
   * Sessions that the translator keeps: those of services that translate, and those that servers started.
   *
   * @return 0 or more; from other threads an estimate
   */
  public int sessions() {
    return translator == null ? 0 : translator.sessions();
  }

  /**
   * Flows and sessions that gave way to new ones.
   *
   * @return a count since the beginning; from other threads an estimate
   */
  public long evictions() {
    return flows.evictions() + (translator == null ? 0 : translator.evictions());
  }

  /**
   * The service and server behind a binding.
   *
   * @param binding from a view
   * @return {@code service/server}; nothing for 0 and for removed servers
   */
  public Optional<String> serverName(int binding) {
    return Optional.ofNullable(table.binding(binding))
        .map(found -> found.service().declaration().name() + "/" + found.serverName());
  }

  /**
   * The snapshot that frames are worked on by: none of an earlier one is under way any more. Safe from any thread.
   *
   * @return a generation
   */
  public long adoptedGeneration() {
    return adoptedGeneration;
  }

  /**
   * The youngest snapshot under which every flow has been looked at: a binding that was removed before it has no flow
   * left here. Safe from any thread.
   *
   * @return a generation, 0 at first
   */
  public long sweptGeneration() {
    return sweeps.generation(translator != null);
  }

  private void endHeld(Verdict verdict) {
    if (translator != null) {
      translator.endHeld(verdict);
    }
    pipeline.endHeld(verdict);
    heldFrames.end(verdict, heldFrameEnded);
  }

  /**
   * Ends all that waits with {@link Verdict#CLOSED_WHILE_HELD}, and all probes. To be called when no frame will follow.
   */
  public void close() {
    if (timerOwner) {
      state.probes.close();
    }
    endHeld(Verdict.CLOSED_WHILE_HELD);
  }
}

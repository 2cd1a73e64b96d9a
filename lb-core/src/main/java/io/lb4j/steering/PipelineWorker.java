package io.lb4j.steering;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.Apart;
import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.Failures;
import io.lb4j.dataplane.HandOver;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The middle of the pipeline: works on the frames of its inbox, lets them out to the transmitter, gives away those that
 * are another worker's, and ends the others. The thread owns the data path.
 */
final class PipelineWorker extends Apart implements Runnable, HandOver {
  private static final long LONGEST_SLEEP_NS = 20_000_000;
  private static final long SLEEP_WHILE_HELD_NS = 1_000_000;

  private final int number;
  private final DataPath dataPath;
  private final WorkerCounters counters;
  private final Inbox[] inboxes;
  private final Inbox inbox;
  private final Transmitter transmitter;
  private final ParcelRing out;
  private final ByteBufAllocator allocator;
  private final WaitStrategy waiting;
  private final LongSupplier clock;
  private final FrameOutput ownFrames = this::transmit;
  private final boolean[] served;
  private final Failures failures;

  private final FrameBatch batch = new FrameBatch();
  private final @Nullable Parcel[] parcels = new Parcel[FrameBatch.CAPACITY]; // of the batch's frames; null: gone
  private final FrameView takenOver = new FrameView();
  private @Nullable Parcel takenOverParcel; // null: gone
  private boolean sent;
  private boolean isHolding;
  private int idleRounds;
  private volatile boolean running = true;

  /**
   * A worker that has not begun.
   *
   * @param number of this worker, 0..workers-1; 0 runs the link layer's timers
   * @param dataPath owned by the worker's thread from now on
   * @param inboxes of all workers
   * @param transmitter sends what leaves
   * @param allocator for frames that are held and then another worker's
   * @param waiting what the thread does while there is nothing to do
   * @param clock nanoseconds, never running backwards
   */
  PipelineWorker(
      int number,
      DataPath dataPath,
      Inbox[] inboxes,
      Transmitter transmitter,
      ByteBufAllocator allocator,
      WaitStrategy waiting,
      LongSupplier clock) {
    this.number = number;
    this.dataPath = dataPath;
    this.counters = dataPath.counters();
    this.inboxes = inboxes;
    this.inbox = inboxes[number];
    this.transmitter = transmitter;
    this.out = transmitter.from(number);
    this.allocator = allocator;
    this.waiting = waiting;
    this.clock = clock;
    this.served = new boolean[inboxes.length];
    this.failures = new Failures("worker " + number);
    dataPath.handOverTo(this);
    dataPath.cutSuperFrames();
  }

  DataPath dataPath() {
    return dataPath;
  }

  /** Asks the thread to end when it has worked on all that waits for it. Safe from any thread. */
  void stop() {
    running = false;
    inbox.bell.ring();
  }

  @Override
  public void run() {
    long deadline = clock.getAsLong();
    while (running || !inbox.isEmpty()) {
      try {
        boolean worked = work();
        long nowNs = clock.getAsLong();
        if (inbox.tickIsDue || deadline - nowNs <= 0 || dataPath.hasCommands()) {
          inbox.tickIsDue = false;
          deadline = dataPath.tick(nowNs, ownFrames);
        }
        ringBells();
        if (worked || dataPath.hasCommands()) {
          idleRounds = 0;
        } else {
          deadline = idle(deadline, nowNs);
        }
      } catch (RuntimeException | Error e) {
        failures.report(e);
      }
    }
  }

  private boolean work() {
    boolean worked = false;
    for (ParcelRing ring : inbox.fromReceivers) {
      worked |= burst(ring);
    }
    for (ParcelRing ring : inbox.fromWorkers) {
      worked |= takeOver(ring);
    }
    return worked;
  }

  private boolean burst(ParcelRing ring) {
    batch.clear();
    for (Parcel parcel = ring.poll(); parcel != null; parcel = batch.room() > 0 ? ring.poll() : null) {
      int i = batch.size();
      parcels[i] = parcel;
      batch.add(parcel.buffer, parcel.start, parcel.length, parcel.marks, parcel.ingress);
      batch.get(i).setTag(parcel.tag);
    }
    int size = batch.size();
    if (size == 0) {
      return false;
    }
    try {
      dataPath.process(batch, clock.getAsLong(), ownFrames);
      for (int i = 0; i < size; i++) {
        sendOn(batch.get(i), parcels[i]);
        parcels[i] = null;
      }
    } finally {
      giveBack(size);
    }
    ringBells();
    return true;
  }

  /** After a failure: frames of this burst are lost, the next burst is not. */
  private void giveBack(int size) {
    for (int i = 0; i < size; i++) {
      if (parcels[i] != null) {
        parcels[i].end(number);
        parcels[i] = null;
      }
    }
  }

  private boolean takeOver(ParcelRing ring) {
    int count = 0;
    for (Parcel parcel = ring.poll(); parcel != null; parcel = count < FrameBatch.CAPACITY ? ring.poll() : null) {
      count++;
      takeOver(parcel);
    }
    if (count > 0) {
      ringBells();
    }
    return count > 0;
  }

  private void takeOver(Parcel parcel) {
    parcel.show(takenOver);
    takenOverParcel = parcel;
    try {
      dataPath.takeOver(takenOver, parcel.reason, clock.getAsLong(), ownFrames);
      Parcel still = takenOverParcel;
      takenOverParcel = null;
      sendOn(takenOver, still);
    } finally {
      if (takenOverParcel != null) {
        takenOverParcel.end(number);
        takenOverParcel = null;
      }
    }
  }

  // ---- what becomes of a frame ---------------------------------------------------------------------------------

  private void sendOn(FrameView view, @Nullable Parcel parcel) {
    Verdict verdict = view.verdict();
    isHolding |= verdict == Verdict.HOLD;
    if (parcel == null) {
      return; // another worker's by now
    }
    boolean leaves = (verdict == Verdict.FORWARD || verdict == Verdict.ANSWER) && view.egress() >= 0;
    if (!leaves) {
      parcel.end(number);
      return;
    }
    parcel.describe(view);
    parcel.transmitted = false;
    if (out.offer(parcel)) {
      sent = true;
    } else {
      counters.onRefused(view.egress());
      parcel.end(number);
    }
  }

  /** Takes a frame of the data path's own, which goes to the transmitter with its memory. */
  private boolean transmit(int link, ByteBuf frame, long marks) {
    sent = true;
    boolean taken = out.offer(Parcel.own(frame, link, marks));
    if (!taken) {
      frame.release();
    }
    return taken;
  }

  @Override
  public boolean handOver(FrameView view, int worker, HandOver.Reason reason) {
    int index = indexOf(view);
    boolean isTakenOver = view == takenOver;
    Parcel parcel = isTakenOver ? takenOverParcel : index >= 0 ? parcels[index] : Parcel.copyOf(view, allocator);
    int start = parcel.start;
    parcel.describe(view);
    parcel.start = start;
    parcel.reason = reason;
    if (!inboxes[worker].fromWorkers[number].offer(parcel)) {
      if (index < 0 && !isTakenOver) {
        parcel.end(number);
      }
      return false;
    }
    served[worker] = true;
    if (isTakenOver) {
      takenOverParcel = null;
    } else if (index >= 0) {
      parcels[index] = null;
    }
    return true;
  }

  /** The place of a frame in the batch; -1 for one that was held before, or came from another worker. */
  private int indexOf(FrameView view) {
    for (int i = 0; i < batch.size(); i++) {
      if (batch.get(i) == view) {
        return i;
      }
    }
    return -1;
  }

  // ---- waking and sleeping -------------------------------------------------------------------------------------

  private void ringBells() {
    if (sent) {
      sent = false;
      transmitter.bell().ring();
    }
    for (int worker = 0; worker < served.length; worker++) {
      if (served[worker]) {
        served[worker] = false;
        inboxes[worker].bell.ring();
      }
    }
    if (isHolding) {
      isHolding = false;
      askForNextHops();
    }
  }

  /** Worker 0 asks for next hops: at once, not when its timers are due anyway. */
  private void askForNextHops() {
    if (number != 0) {
      inboxes[0].askForTick();
    }
  }

  private long idle(long deadline, long nowNs) {
    if (!waiting.passRound(idleRounds)) {
      idleRounds++;
      return deadline;
    }
    long next = deadline;
    if (dataPath.held() > 0 && deadline - nowNs > SLEEP_WHILE_HELD_NS) {
      next = nowNs + SLEEP_WHILE_HELD_NS; // what a frame waits for comes by way of another worker
    }
    inbox.bell.listen();
    if (running && !inbox.tickIsDue && inbox.isEmpty()) {
      inbox.bell.sleep(Math.min(next - nowNs, LONGEST_SLEEP_NS));
    } else {
      inbox.bell.awake();
    }
    return next;
  }
}

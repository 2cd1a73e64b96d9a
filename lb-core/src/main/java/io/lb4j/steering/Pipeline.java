package io.lb4j.steering;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.frame.Verdict;
import io.lb4j.port.Port;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pipelined way to run: any number of workers over ports of any number of queues.
 *
 * <pre>
 *   queue ─▶ receiver ─┬─ring─▶ worker 0 ─┬─ring─▶ transmitter ─▶ ports
 *   queue ─▶ receiver ─┴─ring─▶ worker 1 ─┘             │
 *               ▲                ╰─rings between them   │
 *               └────────── parcels come back ──────────┘
 * </pre>
 *
 * Every ring is between two threads. A frame is copied once, by its receiver, into a parcel that travels to the end and
 * comes back; a parcel has one owner at a time. The rings to the workers bound what waits: a frame that finds its ring
 * full, or no parcel free, is dropped with {@link Verdict#WORKER_QUEUE_FULL}, so that one slow worker costs its own
 * frames only. Order is kept from each queue through each worker to each port.
 *
 * <p>Owned by the control thread.
 */
public final class Pipeline {
  private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);
  private static final long JOIN_MILLIS = 5_000;
  private static final int LINK_BYTES = 14 + 2 * 4; // Ethernet header and two tags
  private static final int LONGEST_SLOT = 9_216 + 64; // jumbo frames; longer ones are super-frames
  private static final int CACHE_LINE = 64;

  private final List<Receiver> receivers = new ArrayList<>();
  private final List<PipelineWorker> workers = new ArrayList<>();
  private final Transmitter transmitter;
  private final Inbox[] inboxes;
  private final List<Thread> receiving = new ArrayList<>();
  private final List<Thread> working = new ArrayList<>();
  private final Thread transmitting;

  /**
   * A pipeline that has not begun.
   *
   * @param dataPaths one per worker, each owned by its worker's thread from now on
   * @param ports one per interface, in the order of their indices; all queues are the pipeline's
   * @param published reads the latest snapshot, which has a steering
   * @param queueFrames frames that wait at most from each queue for each worker
   * @param allocator gives the parcels' memory
   * @param waiting what the threads do while there is nothing to do
   * @param clock nanoseconds, never running backwards
   */
  public Pipeline(
      List<DataPath> dataPaths,
      List<Port> ports,
      Supplier<ForwardingTable> published,
      int queueFrames,
      ByteBufAllocator allocator,
      WaitStrategies waiting,
      LongSupplier clock) {
    int count = dataPaths.size();
    int queues = ports.stream().mapToInt(Port::queues).sum();
    this.inboxes = new Inbox[count];
    for (int i = 0; i < count; i++) {
      inboxes[i] = new Inbox(queues, count, queueFrames, waiting.work());
    }
    this.transmitter = new Transmitter(ports, count, 2 * queues * queueFrames, waiting.transmit());
    this.transmitting = thread(transmitter, "lb4j-transmit");
    for (DataPath dataPath : dataPaths) {
      PipelineWorker worker =
          new PipelineWorker(workers.size(), dataPath, inboxes, transmitter, allocator, waiting.work(), clock);
      working.add(thread(worker, "lb4j-worker-" + workers.size()));
      workers.add(worker);
    }
    for (int link = 0; link < ports.size(); link++) {
      addReceivers(link, ports, published, queueFrames, allocator, waiting.receive());
    }
  }

  private void addReceivers(
      int link,
      List<Port> ports,
      Supplier<ForwardingTable> published,
      int queueFrames,
      ByteBufAllocator allocator,
      WaitStrategy waiting) {
    Port port = ports.get(link);
    int slot = Math.min(port.traits().mtu() + LINK_BYTES, LONGEST_SLOT) + CACHE_LINE - 1 & -CACHE_LINE;
    for (int index = 0; index < port.queues(); index++) {
      int parcels = (workers.size() + 1) * queueFrames; // all rings full, and as many at work and on their way out
      ParcelPool pool = new ParcelPool(allocator, parcels, slot, workers.size() + 1);
      Receiver receiver =
          new Receiver(receivers.size(), link, port.queue(index), pool, inboxes, published, waiting, ports.size());
      receiving.add(thread(receiver, "lb4j-receive-" + port.name() + "-" + index));
      receivers.add(receiver);
    }
  }

  private static Thread thread(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Starts all threads, those that take before those that give. */
  public void start() {
    transmitting.start();
    working.forEach(Thread::start);
    receiving.forEach(Thread::start);
  }

  /**
   * What receivers and transmitter count, beside the workers.
   *
   * @return safe to read from any thread
   */
  public List<WorkerCounters> counters() {
    return Stream.concat(receivers.stream().map(Receiver::counters), Stream.of(transmitter.counters())).toList();
  }

  /**
   * Ends all threads in the order of the walk, so that what was received is worked on and sent, and releases the
   * memory. What could not be ended properly ends with {@link Verdict#CLOSED_WHILE_HELD}.
   *
   * @return false when the calling thread was interrupted while it waited
   */
  public boolean stop() {
    receivers.forEach(Receiver::stop);
    boolean patient = join(receiving);
    workers.forEach(PipelineWorker::stop);
    patient &= join(working);
    transmitter.stop();
    patient &= join(List.of(transmitting));
    if (Stream.of(receiving, working, List.of(transmitting)).flatMap(List::stream).anyMatch(Thread::isAlive)) {
      LOG.error("a thread did not end; the memory of the frames it may be working on is not released");
    } else {
      release();
    }
    return patient;
  }

  private static boolean join(List<Thread> threads) {
    try {
      for (Thread thread : threads) {
        thread.join(JOIN_MILLIS);
      }
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  private void release() {
    for (int worker = 0; worker < inboxes.length; worker++) {
      WorkerCounters counters = workers.get(worker).dataPath().counters();
      for (ParcelRing ring : inboxes[worker].fromReceivers) {
        ring.drain(parcel -> endUnseen(parcel, counters));
      }
      for (ParcelRing ring : inboxes[worker].fromWorkers) {
        ring.drain(parcel -> endHandedOver(parcel, counters));
      }
      transmitter.from(worker).drain(this::endUnsent);
    }
    receivers.forEach(receiver -> receiver.pool().close());
  }

  private void endUnseen(Parcel parcel, WorkerCounters counters) {
    counters.onReceived(parcel.ingress, parcel.length);
    end(parcel, counters);
  }

  private void endHandedOver(Parcel parcel, WorkerCounters counters) {
    counters.onHandOver(parcel.ingress, -1);
    end(parcel, counters);
  }

  private static void end(Parcel parcel, WorkerCounters counters) {
    counters.onVerdict(parcel.ingress, Verdict.CLOSED_WHILE_HELD);
    parcel.end(0);
  }

  private void endUnsent(Parcel parcel) {
    transmitter.refuse(parcel);
    parcel.end(0);
  }
}

package io.lb4j.port;

import io.lb4j.address.MacAddress;
import io.lb4j.port.PortException.Cause;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A port that outlives its interface: where that was removed and another one of its name is there, {@link #renew} opens
 * that in its place, under a running balancer. Workers go over to it by themselves; flows, memberships, counts and what
 * was steered go on. Until then it is {@link PortStatus#GONE}: nothing is received, and what is handed over is refused
 * and counted.
 *
 * <p>Control methods are safe from any thread; each queue is owned by one worker, or each half by a thread of its own.
 */
public final class LastingPort implements SteeredPort {
  private final Supplier<? extends Port> opener;
  private final String name;
  private final PortTraits traits;
  private final LastingQueue[] queues;

  // guarded by this
  private final Set<MacAddress> joined = new LinkedHashSet<>();
  private SteeredPrefixes steered = SteeredPrefixes.NONE;
  private @Nullable Port last; // the one before, of which a worker may still have frames
  private PortCounters past = PortCounters.ZERO; // of those before it

  private volatile Port present; // closed where there is none
  private volatile boolean absent;
  private volatile boolean closed;

  /**
   * A port that is open, and what opens it anew.
   *
   * @param first is closed with this one
   * @param opener opens an interface of the same name with as many queues, in the same way; throws {@link PortException}
   *     when it cannot
   */
  public LastingPort(Port first, Supplier<? extends Port> opener) {
    this.opener = opener;
    this.present = first;
    this.name = first.name();
    this.traits = first.traits();
    this.queues = new LastingQueue[first.queues()];
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new LastingQueue(first.queue(i));
    }
  }

  /**
   * Opens the interface anew if it was removed. To be called by control, again and again while the status is GONE. A MAC
   * address that is not that of the interface before does not matter: the port joins the earlier one.
   *
   * @return true when frames can flow by another interface than before; false when there was nothing to be done
   * @throws PortException what opening it throws, usually NOT_FOUND until it is back; the status is GONE still
   */
  public synchronized boolean renew() {
    if (closed || !absent && present.status() != PortStatus.GONE) {
      return false;
    }
    leave();
    Port next = opener.get();
    try {
      prepare(next);
    } catch (RuntimeException | Error e) {
      next.close();
      throw e;
    }
    for (int i = 0; i < queues.length; i++) {
      queues[i].goOver(next.queue(i));
    }
    last = present;
    present = next;
    absent = false;
    return true;
  }

  /** Gives back what the interface that is gone had: the next one may need its memory. */
  private void leave() {
    if (!absent) {
      for (LastingQueue queue : queues) {
        queue.leave();
      }
      absent = true;
      if (last != null) {
        past = past.plus(last.counters());
        last = null;
      }
      present.close();
    }
  }

  private void prepare(Port next) {
    if (next.queues() != queues.length) {
      throw new PortException(
          Cause.NOT_SUPPORTED, name + " has " + next.queues() + " queues, and had " + queues.length + " before");
    }
    if (!next.traits().mac().equals(traits.mac())) {
      next.join(traits.mac());
    }
    joined.forEach(next::join);
    if (next instanceof SteeredPort port) {
      port.steer(steered);
    }
  }

  @Override
  public String name() {
    return name;
  }

  /** Those of the first interface. */
  @Override
  public PortTraits traits() {
    return traits;
  }

  @Override
  public int queues() {
    return queues.length;
  }

  @Override
  public PortQueue queue(int index) {
    return queues[index];
  }

  /** Of an interface that is gone it is remembered for the next one. */
  @Override
  public synchronized void join(MacAddress address) {
    try {
      if (!absent) {
        present.join(address);
      }
    } catch (PortException e) {
      if (closed || present.status() != PortStatus.GONE) {
        throw e;
      }
    }
    joined.add(address);
  }

  /** Of an interface that is gone it is remembered for the next one. */
  @Override
  public synchronized void steer(SteeredPrefixes prefixes) {
    try {
      if (!absent && present instanceof SteeredPort port) {
        port.steer(prefixes);
      }
    } catch (PortException e) {
      if (closed || present.status() != PortStatus.GONE) {
        throw e;
      }
    }
    steered = prefixes;
  }

  @Override
  public PortStatus status() {
    return closed ? PortStatus.CLOSED : absent ? PortStatus.GONE : present.status();
  }

  @Override
  public synchronized PortCounters counters() {
    PortCounters sum = past.plus(present.counters());
    if (last != null) {
      sum = sum.plus(last.counters());
    }
    for (LastingQueue queue : queues) {
      sum = sum.plus(new PortCounters(0, 0, 0, 0, 0, queue.refused()));
    }
    return sum;
  }

  @Override
  public synchronized void close() {
    closed = true;
    present.close();
  }
}

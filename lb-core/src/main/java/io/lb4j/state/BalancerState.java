package io.lb4j.state;

import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.ForwardingTable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a balancer knows of flows and clients, for {@code LoadBalancer} to offer. Clients: safe from any thread. Flows:
 * safe from any thread while the balancer's own threads run; else the calling thread has to own the data paths.
 */
public final class BalancerState {
  private final Supplier<ForwardingTable> published;
  private final Workers workers;
  private final FlowQueries flows;
  private final LongSupplier clock;

  /**
   * The state of a balancer.
   *
   * @param published reads the latest snapshot
   * @param paths one per worker
   * @param running whether threads of the balancer own them
   * @param steered whether frames are steered to the worker of their flow; else the ports spread them
   * @param clock nanoseconds
   */
  public BalancerState(
      Supplier<ForwardingTable> published,
      List<DataPath> paths,
      BooleanSupplier running,
      BooleanSupplier steered,
      LongSupplier clock) {
    this.published = published;
    this.clock = clock;
    Workers.Threads threads =
        new Workers.Threads() {
          @Override
          public boolean running() {
            return running.getAsBoolean();
          }

          @Override
          public boolean steered() {
            return steered.getAsBoolean();
          }
        };
    this.workers = new Workers(paths, threads, clock);
    this.flows = new FlowQueries(workers, published);
  }

  /**
   * Lists flows, a page at a time.
   *
   * @param filter which
   * @param position 0 for the first page, then {@link FlowPage#next()}
   * @param limit flows on the page, 1 or more; a translator may add a few
   * @return a page
   */
  public FlowPage flows(FlowFilter filter, long position, int limit) {
    return flows.page(filter, position, limit);
  }

  /**
   * Ends flows.
   *
   * @param filter which
   * @return how many were ended
   */
  public long endFlows(FlowFilter filter) {
    return flows.end(filter);
  }

  /**
   * Saves flows and clients.
   *
   * @param to takes the stream; not closed
   * @param usedWithin only what was seen within this time; null for all
   * @return how much was saved
   * @throws IOException of the stream
   */
  public SaveReport save(OutputStream to, @Nullable Duration usedWithin) throws IOException {
    long withinNs = usedWithin == null ? Long.MAX_VALUE : usedWithin.toNanos();
    return new StateSaver(workers, published, to, withinNs).save();
  }

  /**
   * Takes saved flows and clients over.
   *
   * @param from the stream; read to the end of what was saved and not closed
   * @return what became of them
   * @throws StateStreamException when it cannot be read to its end
   */
  public RestoreReport restore(InputStream from) throws StateStreamException {
    return new StateRestorer(workers, published, from).restore();
  }

  /**
   * Lists clients that a service remembers.
   *
   * @param service its name
   * @param filter which
   * @param limit clients at most
   * @return in no order
   */
  public List<ClientEntry> clients(String service, ClientFilter filter, int limit) {
    return new ClientQueries(published.get(), service, clock.getAsLong()).list(filter, limit);
  }

  /**
   * Forgets clients that a service remembers.
   *
   * @param service its name
   * @param filter which
   * @return how many were forgotten
   */
  public long forgetClients(String service, ClientFilter filter) {
    return new ClientQueries(published.get(), service, clock.getAsLong()).forget(filter);
  }
}

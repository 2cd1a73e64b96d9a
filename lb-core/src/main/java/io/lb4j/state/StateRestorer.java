package io.lb4j.state;

import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowTable;
import io.lb4j.flow.TakeOver;
import io.lb4j.state.StateFormat.SavedFlow;
import java.io.IOException;
import java.io.InputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Takes saved flows and clients over once. Owned by the thread that restores; workers take their own flows. */
final class StateRestorer {
  /** Flows that wait for the workers at most. */
  private static final int FLOWS_AT_ONCE = 4096;

  /** Flows that a worker takes over between two bursts: some hundred microseconds. */
  private static final int FLOWS_IN_A_STEP = 256;

  private final Workers workers;
  private final Supplier<ForwardingTable> published;
  private final BlockInput in;
  private final SavedServers servers = new SavedServers();
  private final ClientRestorer clients;
  private final Map<TakeOver, Long> flows = new EnumMap<>(TakeOver.class);
  private final List<SavedFlow> waiting = new ArrayList<>();
  private int savedWorkers;

  StateRestorer(Workers workers, Supplier<ForwardingTable> published, InputStream from) {
    this.workers = workers;
    this.published = published;
    this.in = new BlockInput(from);
    this.clients = new ClientRestorer(published);
  }

  RestoreReport restore() throws StateStreamException {
    try {
      in.begin();
      int type = in.next();
      while (type != StateFormat.END) {
        use(type, in.content());
        type = in.next();
      }
      takeOver();
      checkCounts(in.content());
      return report();
    } catch (IOException e) {
      throw cutShort(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      String what = e instanceof IllegalArgumentException ? e.getMessage() : "its last record is not whole";
      throw cutShort("block " + in.blocks() + " is not of version " + StateFormat.VERSION + ": " + what, e);
    }
  }

  private void checkCounts(ByteBuffer end) throws IOException {
    long savedFlows = end.getLong();
    long savedClients = end.getLong();
    if (savedFlows != sum(flows) || savedClients != sum(clients.counts())) {
      throw new IOException(savedFlows + " flows and " + savedClients + " clients were saved: blocks are missing");
    }
  }

  private static long sum(Map<TakeOver, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** What was whole is taken over all the same. */
  private StateStreamException cutShort(String reason, Exception cause) {
    takeOver();
    return new StateStreamException(reason, report(), cause);
  }

  private RestoreReport report() {
    return new RestoreReport(flows, clients.counts());
  }

  private void use(int type, ByteBuffer content) {
    switch (type) {
      case StateFormat.START -> savedWorkers = StateFormat.number16(content);
      case StateFormat.SERVER -> {
        takeOver(); // a number may mean another server from here on
        while (content.hasRemaining()) {
          servers.define(content, published.get());
        }
      }
      case StateFormat.FLOW -> useFlows(content);
      case StateFormat.TABLE -> clients.defineTables(content);
      case StateFormat.MEMBER -> clients.defineMembers(content);
      case StateFormat.CLIENT -> clients.restore(content, workers.nowNs());
      default -> {
        // of a later writer, who knows that we skip it
      }
    }
  }

  // ---- flows -------------------------------------------------------------------------------------------------------

  private void useFlows(ByteBuffer content) {
    while (content.hasRemaining()) {
      waiting.add(StateFormat.getFlow(content));
    }
    if (waiting.size() >= FLOWS_AT_ONCE) {
      takeOver();
    }
  }

  /** Has all flows that wait taken over by their workers. */
  private void takeOver() {
    if (waiting.isEmpty()) {
      return;
    }
    Placement placement = new Placement(workers, savedWorkers, published.get());
    List<Taking> first = takings();
    for (SavedFlow saved : waiting) {
      FlowRecord flow = servers.withOwnBinding(saved.record());
      if (flow == null) {
        count(TakeOver.NO_SERVER, 1);
      } else {
        give(first, flow, placement.workerOf(flow, saved.worker()));
      }
    }
    waiting.clear();
    workers.runAll(List.copyOf(first));
    List<Taking> second = takings();
    first.forEach(taking -> taking.refused.forEach(flow -> giveToOther(second, flow, placement)));
    workers.runAll(List.copyOf(second));
    second.forEach(taking -> count(TakeOver.REFUSED, taking.refused.size()));
    first.forEach(taking -> taking.counts.forEach(this::count));
    second.forEach(taking -> taking.counts.forEach(this::count));
  }

  private List<Taking> takings() {
    List<Taking> takings = new ArrayList<>();
    for (int worker = 0; worker < workers.count(); worker++) {
      takings.add(new Taking());
    }
    return takings;
  }

  private void give(List<Taking> takings, FlowRecord flow, int worker) {
    if (worker == Placement.NOBODY) {
      count(TakeOver.OTHER_WORKER, 1);
    } else {
      takings.get(worker).flows.add(flow);
    }
  }

  private void giveToOther(List<Taking> takings, FlowRecord flow, Placement placement) {
    int other = placement.otherWorkerOf(flow);
    if (other == Placement.NOBODY) {
      count(TakeOver.REFUSED, 1);
    } else {
      takings.get(other).flows.add(flow);
    }
  }

  private void count(TakeOver result, long times) {
    if (times != 0) {
      flows.merge(result, times, Long::sum);
    }
  }

  /** Flows that one worker is to take over. */
  private static final class Taking implements Workers.Step {
    private final List<FlowRecord> flows = new ArrayList<>();
    private final List<FlowRecord> refused = new ArrayList<>();
    private final Map<TakeOver, Long> counts = new EnumMap<>(TakeOver.class);
    private int next;

    @Override
    public boolean run(DataPath path, long nowNs) {
      int end = Math.min(flows.size(), next + FLOWS_IN_A_STEP);
      for (; next < end; next++) {
        FlowRecord flow = flows.get(next);
        TakeOver result = path.known().restore(flow);
        if (result == TakeOver.REFUSED) {
          refused.add(flow);
        } else {
          counts.merge(result, 1L, Long::sum);
        }
      }
      return next < flows.size();
    }
  }

  /** What the saver's bindings are here. */
  private static final class SavedServers {
    private final Map<Integer, Integer> own = new HashMap<>();
    private final ServerIndex index = new ServerIndex();

    void define(ByteBuffer from, ForwardingTable table) {
      int saved = from.getInt();
      if (saved < 1 || saved > FlowTable.MAX_BINDING) {
        throw new IllegalArgumentException("a server of number " + saved);
      }
      boolean direct = StateFormat.number8(from) != 0;
      String service = StateFormat.getText(from);
      own.put(saved, index.find(table, service, direct, StateFormat.getAddress(from), StateFormat.number16(from)));
    }

    /** The same flow as a flow of this instance; null when its server is none here. */
    FlowRecord withOwnBinding(FlowRecord flow) {
      if (flow.kind() == FlowRecord.Kind.OUTBOUND) {
        return flow.binding() == 0 ? flow : null;
      }
      int binding = own.getOrDefault(flow.binding(), ServerIndex.NONE);
      if (binding == ServerIndex.NONE) {
        return null;
      }
      return new FlowRecord(
          flow.kind(),
          flow.protocol(),
          flow.source(),
          flow.sourcePort(),
          flow.destination(),
          flow.destinationPort(),
          flow.translated(),
          flow.translatedPort(),
          binding,
          flow.state(),
          flow.sequence(),
          flow.detail(),
          flow.idleNs());
    }
  }
}

package io.lb4j.state;

import io.lb4j.address.IpAddress;
import io.lb4j.dataplane.Binding;
import io.lb4j.dataplane.CompiledService;
import io.lb4j.dataplane.ForwardingTable;
import io.lb4j.dataplane.KnownFlows;
import io.lb4j.dataplane.ServiceClients;
import io.lb4j.flow.FlowMatch;
import io.lb4j.flow.FlowRecord;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.persistence.SourceIpPersistence;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Saves flows and clients once. Owned by the thread that saves; workers list their own flows. */
final class StateSaver {
  /** Flows that are held between a worker and the stream. */
  private static final int FLOWS_AT_ONCE = 4096;

  private final Workers workers;
  private final Supplier<ForwardingTable> published;
  private final FlowMatch match;
  private final long usedWithinNs;
  private final BlockOutput out;
  private final Map<Integer, SavedServer> servers = new HashMap<>();
  private long flows;
  private long clients;

  /** The server of a flow, by what it is called on every instance. */
  private record SavedServer(String service, boolean direct, IpAddress address, int port) {}

  /** A flow with its server, as its worker knew it; null for what is no service's. */
  private record Found(FlowRecord flow, @Nullable SavedServer server) {}

  /**
   * Begins to save.
   *
   * @param usedWithinNs only flows and clients that were seen within this time
   */
  StateSaver(Workers workers, Supplier<ForwardingTable> published, OutputStream to, long usedWithinNs)
      throws IOException {
    this.workers = workers;
    this.published = published;
    this.usedWithinNs = usedWithinNs;
    this.match = new FlowMatch(null, null, 0, null, null, null, 0, 0, usedWithinNs);
    this.out = new BlockOutput(to);
  }

  SaveReport save() throws IOException {
    out.room(StateFormat.START, StateFormat.MOST_BYTES).putShort((short) workers.count());
    for (int worker = 0; worker < workers.count(); worker++) {
      saveFlows(worker);
    }
    saveClients(published.get());
    out.room(StateFormat.END, StateFormat.MOST_BYTES).putLong(flows).putLong(clients);
    out.end();
    return new SaveReport(flows, clients);
  }

  // ---- flows -------------------------------------------------------------------------------------------------------

  private void saveFlows(int worker) throws IOException {
    long place = 0;
    while (place >= 0) {
      FlowQueries.Gathering<Found> gathering =
          new FlowQueries.Gathering<>(match, place, FLOWS_AT_ONCE, StateSaver::found);
      workers.run(worker, gathering);
      for (Found found : gathering.found) {
        saveServer(found);
      }
      for (Found found : gathering.found) {
        saveFlow(found, worker);
      }
      place = gathering.place;
    }
  }

  private static Found found(FlowRecord flow, KnownFlows known) {
    Binding binding = known.binding(flow.binding());
    return new Found(
        flow,
        binding == null
            ? null
            : new SavedServer(
                binding.service().declaration().name(),
                flow.kind() == FlowRecord.Kind.DIRECT,
                binding.target().address(),
                binding.target().port()));
  }

  private void saveServer(Found found) throws IOException {
    SavedServer server = found.server;
    if (server != null && !server.equals(servers.put(found.flow.binding(), server))) {
      save(found.flow.binding(), server);
    }
  }

  private void saveFlow(Found found, int worker) throws IOException {
    FlowRecord flow = found.flow;
    if (found.server == null && flow.kind() != FlowRecord.Kind.OUTBOUND) {
      return; // its server was removed, and it goes with the next sweep
    }
    StateFormat.putFlow(out.room(StateFormat.FLOW, StateFormat.MOST_BYTES), flow, worker);
    flows++;
  }

  private void save(int binding, SavedServer server) throws IOException {
    byte[] service = text(server.service);
    ByteBuffer to = out.room(StateFormat.SERVER, StateFormat.MOST_BYTES + service.length);
    to.putInt(binding).put((byte) (server.direct ? 1 : 0));
    StateFormat.putText(to, service);
    StateFormat.putAddress(to, server.address);
    to.putShort((short) server.port);
  }

  private static byte[] text(String name) throws IOException {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    if (text.length > StateFormat.LONGEST_TEXT) {
      throw new IOException(
          "a service's name has " + text.length + " bytes; state holds names of up to " + StateFormat.LONGEST_TEXT);
    }
    return text;
  }

  // ---- clients -----------------------------------------------------------------------------------------------------

  private void saveClients(ForwardingTable table) throws IOException {
    Map<PersistenceTable, List<CompiledService>> sharing = new LinkedHashMap<>();
    for (CompiledService service : table.services()) {
      service
          .clients()
          .map(ServiceClients::table)
          .ifPresent(known -> sharing.computeIfAbsent(known, key -> new ArrayList<>()).add(service));
    }
    int number = 0;
    for (Map.Entry<PersistenceTable, List<CompiledService>> entry : sharing.entrySet()) {
      saveTable(number, entry.getKey().settings(), entry.getValue());
      saveMembers(number, entry.getValue(), table);
      saveClients(number++, entry.getKey());
    }
  }

  /** Of services beyond what a block holds the clients are found by the others. */
  private void saveTable(int number, SourceIpPersistence settings, List<CompiledService> sharing) throws IOException {
    int bytes = StateFormat.MOST_BYTES;
    List<byte[]> names = new ArrayList<>();
    for (CompiledService service : sharing) {
      byte[] name = text(service.declaration().name());
      if (bytes + name.length + 2 <= StateFormat.BLOCK_BYTES) {
        names.add(name);
        bytes += name.length + 2;
      }
    }
    ByteBuffer to = out.room(StateFormat.TABLE, bytes);
    to.putInt(number);
    StateFormat.putScope(to, settings.scope());
    to.put((byte) settings.v4PrefixLength()).put((byte) settings.v6PrefixLength()).putShort((short) names.size());
    names.forEach(name -> StateFormat.putText(to, name));
  }

  private void saveMembers(int number, List<CompiledService> sharing, ForwardingTable table) throws IOException {
    for (int id = 1; id <= table.highestBinding(); id++) {
      Binding binding = table.binding(id);
      if (binding != null && sharing.contains(binding.service())) {
        int member = binding.service().clients().orElseThrow().number(id);
        ByteBuffer to = out.room(StateFormat.MEMBER, StateFormat.MOST_BYTES);
        to.putInt(number).putInt(member);
        StateFormat.putAddress(to, binding.target().address());
        to.putShort((short) binding.target().port());
      }
    }
  }

  private void saveClients(int number, PersistenceTable table) throws IOException {
    long leastNs = table.settings().timeout().toNanos() - usedWithinNs;
    try {
      table.visit(
          workers.nowNs(),
          (v6, high, low, port, member, remainingNs) -> {
            if (remainingNs >= leastNs) {
              save(number, IpAddress.of(v6, high, low), port, member, remainingNs);
            }
            return true;
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void save(int number, IpAddress client, int port, int member, long remainingNs) {
    try {
      ByteBuffer to = out.room(StateFormat.CLIENT, StateFormat.MOST_BYTES);
      to.putInt(number).putInt(member);
      StateFormat.putAddress(to, client);
      to.putShort((short) port).putLong(remainingNs);
      clients++;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

package io.lb4j.dataplane;

import io.lb4j.flow.FlowMatch;
import io.lb4j.flow.FlowRecord;
import io.lb4j.flow.FlowRecord.Kind;
import io.lb4j.flow.FlowRecords;
import io.lb4j.flow.TakeOver;
import io.lb4j.forward.Translator;
import io.lb4j.service.Protocol;
import io.lb4j.service.VirtualService;
import io.lb4j.wire.IpProtocol;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What one worker knows of flows and sessions, as records: those of its flow table and, where addresses are translated,
 * those of its translator. Owned by that worker; not on the way of frames.
 */
public final class KnownFlows {
  /** The first position of sessions; flows come before them. */
  private static final long SESSIONS = 1L << 32;

  /** Entries of a translator's table to look at together, however few sessions are wanted. */
  private static final int FEWEST_SLOTS = 256;

  private final WorkerState state;
  private final FlowRecords flows;
  private final FlowAccounting accounting;

  KnownFlows(WorkerState state, FlowAccounting accounting) {
    this.state = state;
    this.flows = new FlowRecords(state.flows);
    this.accounting = accounting;
  }

  /**
   * Lists flows and sessions, a part at a time; not those of removed servers. What is there from the first call to the
   * last is listed; flows once, sessions that others make move meanwhile perhaps twice.
   *
   * @param position 0 at first, then the last answer
   * @param places to look at, at most
   * @param most flows and sessions to list; a few more come where a translator cannot stop among them
   * @param match which are meant
   * @param to takes each; must not end any
   * @return where to go on; negative when all were looked at
   */
  public long list(long position, int places, int most, FlowMatch match, Consumer<FlowRecord> to) {
    if (position < SESSIONS) {
      int next =
          match.mayBe(Kind.DIRECT)
              ? flows.list((int) position, places, most, match, state.tick, record -> tell(record, to))
              : -1;
      return next < 0 ? firstSession(match) : next;
    }
    Translator translator = state.translator;
    if (translator == null) {
      return -1;
    }
    List<FlowRecord> found = new ArrayList<>();
    int slots = Math.min(places, Math.max(FEWEST_SLOTS, 2 * most)); // a session has two entries
    int next = sessions(translator, position, slots, match, found);
    while (found.size() > most && slots > 1) {
      slots /= 2;
      next = sessions(translator, position, slots, match, found);
    }
    found.forEach(record -> tell(record, to));
    return next < 0 ? -1 : SESSIONS + next;
  }

  private void tell(FlowRecord record, Consumer<FlowRecord> to) {
    if (record.binding() == 0 || state.table.binding(record.binding()) != null) {
      to.accept(record);
    }
  }

  private long firstSession(FlowMatch match) {
    boolean none = state.translator == null || !match.mayBe(Kind.TRANSLATED) && !match.mayBe(Kind.OUTBOUND);
    return none ? -1 : SESSIONS;
  }

  private static int sessions(
      Translator translator, long position, int slots, FlowMatch match, List<FlowRecord> found) {
    found.clear();
    return translator.list(
        (int) (position - SESSIONS),
        slots,
        session -> {
          if (match.matches(session)) {
            found.add(session);
          }
        });
  }

  /**
   * Ends flows and sessions, a part at a time.
   *
   * @param position 0 at first, then the last answer
   * @param places to look at, at most
   * @param match which are meant
   * @param count is told how many were ended
   * @return where to go on; negative when all were looked at
   */
  public long end(long position, int places, FlowMatch match, Consumer<Integer> count) {
    if (position < SESSIONS) {
      boolean through = !match.mayBe(Kind.DIRECT) || position + places >= flows.places();
      count.accept(match.mayBe(Kind.DIRECT) ? flows.end((int) position, places, match, state.tick) : 0);
      return through ? firstSession(match) : position + places;
    }
    Translator translator = state.translator;
    if (translator == null) {
      return -1;
    }
    List<FlowRecord> found = new ArrayList<>();
    int next = sessions(translator, position, places, match, found);
    count.accept((int) found.stream().filter(translator::end).count());
    return next < 0 ? -1 : SESSIONS + next;
  }

  /**
   * Takes over a flow or session that was saved. It counts as a flow of its server and takes its place under limits,
   * also beyond them: the connection is there.
   *
   * @param record its binding one of this instance
   * @return what became of it
   */
  public TakeOver restore(FlowRecord record) {
    if (record.kind() == Kind.OUTBOUND) {
      return byTranslator(record);
    }
    boolean direct = record.kind() == Kind.DIRECT;
    Binding binding = state.table.binding(record.binding());
    if (binding == null || binding.service().isDirect() != direct) {
      return TakeOver.NO_SERVER;
    }
    if (!isServed(binding.service().declaration(), record)) {
      return TakeOver.NOT_SERVED;
    }
    if (!direct) {
      return byTranslator(record);
    }
    TakeOver result = flows.restore(record, state.tick);
    if (result == TakeOver.TAKEN_OVER) {
      accounting.onRestored(binding.id(), !record.state().isClosing());
    }
    return result;
  }

  private TakeOver byTranslator(FlowRecord record) {
    Translator translator = state.translator;
    return translator != null && translator.restore(record) ? TakeOver.TAKEN_OVER : TakeOver.REFUSED;
  }

  private static boolean isServed(VirtualService service, FlowRecord record) {
    boolean query = record.protocol() == IpProtocol.ICMP || record.protocol() == IpProtocol.ICMPV6;
    Protocol protocol = record.protocol() == IpProtocol.TCP ? Protocol.TCP : Protocol.UDP;
    return service.serves(record.destination())
        && (query || service.protocol() == protocol && service.ports().contains(record.destinationPort()));
  }

  /**
   * The server of a record, under the snapshot that the worker works by.
   *
   * @param binding of a record
   * @return null for 0, and when the server was removed
   */
  public @Nullable Binding binding(int binding) {
    return binding == 0 ? null : state.table.binding(binding);
  }
}

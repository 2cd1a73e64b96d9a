package io.lb4j.flow;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowRecord.Kind;
import io.lb4j.wire.IpProtocol;
import java.util.function.Consumer;

/**
 * The flows of a table as records: listed, ended, taken over. Owned by the table's worker; not on the way of frames.
 *
 * <p>A flow keeps its place until it ends, so a list that goes through the places shows each flow once that was there
 * all the while, however many calls it takes.
 */
public final class FlowRecords {
  private final FlowTable table;

  /**
   * The records of a table.
   *
   * @param table owned by the same worker
   */
  public FlowRecords(FlowTable table) {
    this.table = table;
  }

  /**
   * Lists flows, a part of the table at a time.
   *
   * @param cursor 0 at first, then the last answer
   * @param places of the table to look at
   * @param most flows to list
   * @param match which flows
   * @param tick now
   * @param to takes each flow; must not end any
   * @return where to go on; negative when the table is through
   */
  public int list(int cursor, int places, int most, FlowMatch match, int tick, Consumer<FlowRecord> to) {
    int end = (int) Math.min((long) cursor + places, table.places());
    int listed = 0;
    int place = cursor;
    for (; place < end && listed < most; place++) {
      int handle = table.handleAt(place);
      if (handle != FlowTable.MISS && match.matches(table, handle, tick) && !table.isExpired(handle, tick)) {
        to.accept(record(handle, tick));
        listed++;
      }
    }
    return place < table.places() ? place : -1;
  }

  private FlowRecord record(int handle, int tick) {
    boolean v6 = table.isV6(handle);
    int ports = table.ports(handle);
    return new FlowRecord(
        Kind.DIRECT,
        table.protocol(handle),
        IpAddress.of(v6, table.sourceHigh(handle), table.sourceLow(handle)),
        ports >>> 16,
        IpAddress.of(v6, table.destinationHigh(handle), table.destinationLow(handle)),
        ports & 0xFFFF,
        null,
        0,
        table.binding(handle),
        table.state(handle),
        table.sequence(handle),
        0,
        table.age(handle, tick) * FlowTable.TICK_NS);
  }

  /**
   * Ends flows, a part of the table at a time.
   *
   * @param cursor 0 at first; the places before it are not looked at
   * @param places of the table to look at
   * @param match which flows
   * @param tick now
   * @return how many were ended
   */
  public int end(int cursor, int places, FlowMatch match, int tick) {
    int end = (int) Math.min((long) cursor + places, table.places());
    int ended = 0;
    for (int place = cursor; place < end; place++) {
      int handle = table.handleAt(place);
      if (handle != FlowTable.MISS && match.matches(table, handle, tick)) {
        table.remove(handle);
        ended++;
      }
    }
    return ended;
  }

  /**
   * Where {@link #list} and {@link #end} are through.
   *
   * @return places of the table
   */
  public int places() {
    return table.places();
  }

  /**
   * Ends the flow of a record, if there still is one with the same server.
   *
   * @param record as listed
   * @return whether one was ended
   */
  public boolean end(FlowRecord record) {
    int handle = isPossible(record) ? find(record, hash(record)) : FlowTable.MISS;
    if (handle == FlowTable.MISS || table.binding(handle) != record.binding()) {
      return false;
    }
    table.remove(handle);
    return true;
  }

  /**
   * Takes a saved flow over, with its state, sequence number and idle time. It is for the caller to count it.
   *
   * @param record of a flow, its binding one of this instance
   * @param tick now
   * @return what became of it; {@link TakeOver#EXPIRED} also for what no table can have held
   */
  public TakeOver restore(FlowRecord record, int tick) {
    long age = record.idleNs() / FlowTable.TICK_NS;
    if (!isPossible(record) || age > table.timeoutTicks(record.binding(), record.state())) {
      return TakeOver.EXPIRED;
    }
    int hash = hash(record);
    if (find(record, hash) != FlowTable.MISS) {
      return TakeOver.ALREADY_THERE;
    }
    if (!table.hasRoomFor(record.source().isV6(), hash, record.state())) {
      return TakeOver.NO_ROOM;
    }
    table.markStale(insert(record, hash, tick - (int) age));
    return TakeOver.TAKEN_OVER;
  }

  private static boolean isPossible(FlowRecord record) {
    boolean udp = record.state() == FlowState.UDP_FIRST || record.state() == FlowState.UDP;
    return record.kind() == Kind.DIRECT
        && record.state() != FlowState.FREE
        && record.protocol() == (udp ? IpProtocol.UDP : IpProtocol.TCP)
        && record.source().isV6() == record.destination().isV6()
        && record.binding() > 0
        && record.binding() <= FlowTable.MAX_BINDING
        && record.idleNs() >= 0;
  }

  private static int ports(FlowRecord record) {
    return record.sourcePort() << 16 | record.destinationPort() & 0xFFFF;
  }

  private int hash(FlowRecord record) {
    IpAddress source = record.source();
    IpAddress destination = record.destination();
    return source.isV6()
        ? table.hash6(
            source.high(), source.low(), destination.high(), destination.low(), ports(record), record.protocol())
        : table.hash4(source.low(), destination.low(), ports(record), record.protocol());
  }

  private int find(FlowRecord record, int hash) {
    IpAddress source = record.source();
    IpAddress destination = record.destination();
    return source.isV6()
        ? table.find6(
            hash,
            source.high(),
            source.low(),
            destination.high(),
            destination.low(),
            ports(record),
            record.protocol())
        : table.find4(hash, source.low(), destination.low(), ports(record), record.protocol());
  }

  private int insert(FlowRecord record, int hash, int seen) {
    IpAddress source = record.source();
    IpAddress destination = record.destination();
    return source.isV6()
        ? table.insert6(
            hash,
            source.high(),
            source.low(),
            destination.high(),
            destination.low(),
            ports(record),
            record.state(),
            record.binding(),
            record.sequence(),
            seen)
        : table.insert4(
            hash,
            source.low(),
            destination.low(),
            ports(record),
            record.state(),
            record.binding(),
            record.sequence(),
            seen);
  }
}

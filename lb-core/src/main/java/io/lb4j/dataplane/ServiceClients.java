package io.lb4j.dataplane;

import io.lb4j.frame.FrameView;
import io.lb4j.persistence.KnownClients;
import io.lb4j.persistence.PersistenceTable;
import io.lb4j.persistence.SourceIpPersistence;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;

/**
 * The clients that a service remembers, by its own bindings. The table behind it may be other services' as well, and
 * knows servers by numbers that mean the same to all of them; a server that this service does not have is none to it.
 * Immutable, shared, except for the table, which is safe from any thread.
 */
public final class ServiceClients {
  private final PersistenceTable table;
  private final int[] numbers; // ascending
  private final int[] bindingByNumber;
  private final int[] bindings; // ascending
  private final int[] numberByBinding;

  /**
   * The clients of a service.
   *
   * @param table perhaps shared
   * @param numbers of the service's servers in the table, by binding id
   */
  public ServiceClients(PersistenceTable table, Map<Integer, Integer> numbers) {
    this.table = table;
    int size = numbers.size();
    this.numbers = new int[size];
    this.bindingByNumber = new int[size];
    this.bindings = new int[size];
    this.numberByBinding = new int[size];
    fill(numbers, Map.Entry.comparingByKey(), this.bindings, numberByBinding);
    fill(numbers, Map.Entry.comparingByValue(), bindingByNumber, this.numbers);
  }

  private static void fill(
      Map<Integer, Integer> numbers, Comparator<Map.Entry<Integer, Integer>> order, int[] keys, int[] values) {
    int i = 0;
    for (var entry : numbers.entrySet().stream().sorted(order).toList()) {
      keys[i] = entry.getKey();
      values[i++] = entry.getValue();
    }
  }

  /**
   * The table.
   *
   * @return the same object for all services that share their clients
   */
  public PersistenceTable table() {
    return table;
  }

  /**
   * The settings.
   *
   * @return as declared
   */
  public SourceIpPersistence settings() {
    return table.settings();
  }

  /**
   * The binding of a server that the table names.
   *
   * @param number in the table
   * @return a binding id; 0 for a server that the service does not have
   */
  public int binding(int number) {
    int at = Arrays.binarySearch(numbers, number);
    return at < 0 ? 0 : bindingByNumber[at];
  }

  /**
   * What the table calls a server.
   *
   * @param binding of one of the service's servers
   * @return its number; {@link PersistenceTable#NONE} for any other binding
   */
  public int number(int binding) {
    int at = Arrays.binarySearch(bindings, binding);
    return at < 0 ? PersistenceTable.NONE : numberByBinding[at];
  }

  /** The number of the client's server, which the service need not have. Counts as a use if {@code used}. */
  int find(FrameView view, boolean used, KnownClients known, long nowNs) {
    boolean v6 = view.isV6();
    long high = view.sourceHigh();
    long low = view.sourceLow();
    int port = view.destinationPort();
    return used ? known.find(table, v6, high, low, port, nowNs) : table.findQuietly(v6, high, low, port, nowNs);
  }

  /** Asks for the memory of the client's place; a word to be added up. */
  int touch(FrameView view, KnownClients known) {
    return known.touch(table, view.isV6(), view.sourceHigh(), view.sourceLow(), view.destinationPort());
  }

  /** Keeps the client on a server unless it has another one by now than before; the number of the one it has then. */
  int keep(FrameView view, int before, int number, KnownClients known, long nowNs) {
    int port = view.destinationPort();
    return known.put(table, view.isV6(), view.sourceHigh(), view.sourceLow(), port, before, number, nowNs);
  }

  void refresh(boolean v6, long high, long low, int port, int binding, long nowNs) {
    table.refresh(v6, high, low, port, number(binding), nowNs);
  }
}

package io.lb4j.verify;

import java.util.List;

/**
 * What a verification found. Immutable, shared.
 *
 * @param servers the servers that were asked, as {@code service/server}
 * @param faults what is wrong, server by server; empty when all is well
 * @param notes what could not be asked, and why
 */
public record VerifyReport(List<String> servers, List<Diagnosis> faults, List<String> notes) {
  /** Keeps copies of the lists. */
  public VerifyReport {
    servers = List.copyOf(servers);
    faults = List.copyOf(faults);
    notes = List.copyOf(notes);
  }

  /**
   * Whether nothing is wrong as far as it was asked.
   *
   * @return true without a fault
   */
  public boolean isWell() {
    return faults.isEmpty();
  }
}

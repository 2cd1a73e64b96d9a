package io.lb4j.schedule;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.List;

/**
 * Rendezvous hashing, tabulated: each row ranks all candidates and keeps the first two (Thaler and Ravishankar, "Using
 * Name-Based Mappings to Increase Hit Rates", 1998; weights as in Schindelhauer and Schomaker, "Weighted Distributed
 * Hash Tables", 2005, section 4, the logarithmic method). A candidate's score in a row depends on nothing but the two,
 * its weight and the seed. So the order of two servers never depends on a third: when one goes, its rows pass to their
 * second choices and no other row changes. Immutable, shared; it is built by the control thread.
 *
 * <pre>
 *   key_i     XXH64(identity_i, seed)                         identity in UTF-8
 *   draw_i,r  SplitMix64 finalizer of key_i + (r + 1) * 9E3779B97F4A7C15   64 bits, unsigned, modulo 2^64
 *   u_i,r     (floor(draw_i,r / 2^12) + 0.5) / 2^52           exact in binary64, between 0 and 1
 *   score_i,r -ln(u_i,r) / weight_i                           the lowest is the first choice; of equal ones the
 *                                                             higher draw, then the lower identity goes first
 * </pre>
 */
public final class RendezvousTable {
  /** What {@link #second} answers when there is only one candidate. */
  public static final int NONE = -1;

  /** The rows that are used when none are set: 2^16. */
  public static final int DEFAULT_ROWS = 1 << 16;

  /** The most rows. */
  public static final int MAX_ROWS = 1 << 20;

  private static final int MIN_ROWS = 1 << 8;
  private static final int MAX_CANDIDATES = 1 << 16;

  private final char[] first;
  private final char[] second;
  private final boolean single;

  private RendezvousTable(char[] first, char[] second, boolean single) {
    this.first = first;
    this.second = second;
    this.single = single;
  }

  /**
   * Builds a table.
   *
   * @param candidates 1..65536, in any order
   * @param rows a power of two, 256..{@value #MAX_ROWS}
   * @param seed equal on instances that are to agree
   * @return the table
   */
  public static RendezvousTable of(List<Candidate> candidates, int rows, long seed) {
    requireRows(rows);
    if (candidates.size() > MAX_CANDIDATES) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "scheduler hrw: servers",
          candidates.size(),
          "a table takes at most " + MAX_CANDIDATES + " servers");
    }
    Roster roster = new Roster(candidates);
    RendezvousRows filling = new RendezvousRows(roster, seed);
    char[] first = new char[rows];
    char[] second = new char[rows];
    for (int row = 0; row < rows; row++) {
      filling.rank(row);
      first[row] = (char) filling.first();
      second[row] = (char) filling.second();
    }
    return new RendezvousTable(first, second, candidates.size() == 1);
  }

  static int requireRows(int rows) {
    if (rows < MIN_ROWS || rows > MAX_ROWS || Integer.bitCount(rows) != 1) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "scheduler hrw: rows",
          rows,
          "the number of rows is a power of two from " + MIN_ROWS + " to " + MAX_ROWS);
    }
    return rows;
  }

  /**
   * Number of rows.
   *
   * @return a power of two
   */
  public int rows() {
    return first.length;
  }

  /**
   * The first choice of a row.
   *
   * @param row 0..rows-1
   * @return index into the list of candidates
   */
  public int first(int row) {
    return first[row];
  }

  /**
   * The second choice of a row: the first one, were that candidate not there.
   *
   * @param row 0..rows-1
   * @return index into the list of candidates; {@link #NONE} when there is only one
   */
  public int second(int row) {
    return single ? NONE : second[row];
  }

  /** The row of a flow. */
  int rowOf(long hash) {
    return (int) HashRange.index(hash, first.length);
  }
}

package io.lb4j.dataplane;

/**
 * Keeps what one thread writes all the time out of the cache lines of the object before, which may be the same thread's
 * fellow: the collector lays the elements of a list side by side. Two lines, because processors fetch them in pairs.
 */
@SuppressWarnings("unused") // the fields are there to be in the way
public abstract class Apart {
  private long p00;
  private long p01;
  private long p02;
  private long p03;
  private long p04;
  private long p05;
  private long p06;
  private long p07;
  private long p08;
  private long p09;
  private long p10;
  private long p11;
  private long p12;
  private long p13;
  private long p14;
  private long p15;

  /** An object with a distance before its fields. */
  protected Apart() {}
}

package io.lb4j.steering;

import org.jctools.queues.varhandle.SpscVarHandleArrayQueue;

/** A ring between two threads: one offers, the other polls. What is in it is owned by nobody else. */
final class ParcelRing extends SpscVarHandleArrayQueue<Parcel> {
  ParcelRing(int capacity) {
    super(capacity);
  }

  static ParcelRing[] array(int count, int capacity) {
    ParcelRing[] rings = new ParcelRing[count];
    for (int i = 0; i < count; i++) {
      rings[i] = new ParcelRing(capacity);
    }
    return rings;
  }
}

package io.lb4j.pcap.os;

import io.lb4j.port.PortCounters;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** What a queue counts. Written by its worker only; read by any thread. */
public final class PortTally {
  private static final VarHandle RECEIVED_FRAMES = field("receivedFrames");
  private static final VarHandle RECEIVED_BYTES = field("receivedBytes");
  private static final VarHandle TRANSMITTED_FRAMES = field("transmittedFrames");
  private static final VarHandle TRANSMITTED_BYTES = field("transmittedBytes");
  private static final VarHandle REFUSED_FRAMES = field("refusedFrames");

  private long receivedFrames;
  private long receivedBytes;
  private long transmittedFrames;
  private long transmittedBytes;
  private long refusedFrames;

  private static VarHandle field(String name) {
    try {
      return MethodHandles.lookup().findVarHandle(PortTally.class, name, long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  public void onReceived(int frames, long bytes) {
    RECEIVED_BYTES.setRelease(this, receivedBytes + bytes);
    RECEIVED_FRAMES.setRelease(this, receivedFrames + frames);
  }

  public void onTransmitted(int frames, long bytes) {
    TRANSMITTED_BYTES.setRelease(this, transmittedBytes + bytes);
    TRANSMITTED_FRAMES.setRelease(this, transmittedFrames + frames);
  }

  public void onRefused(int frames) {
    REFUSED_FRAMES.setRelease(this, refusedFrames + frames);
  }

  public PortCounters snapshot(long missedFrames) {
    return new PortCounters(
        (long) RECEIVED_FRAMES.getAcquire(this),
        (long) RECEIVED_BYTES.getAcquire(this),
        missedFrames,
        (long) TRANSMITTED_FRAMES.getAcquire(this),
        (long) TRANSMITTED_BYTES.getAcquire(this),
        (long) REFUSED_FRAMES.getAcquire(this));
  }
}

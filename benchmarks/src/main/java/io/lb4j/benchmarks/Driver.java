package io.lb4j.benchmarks;

import io.lb4j.dataplane.DataPath;
import io.lb4j.flow.FlowTable;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.netty.buffer.ByteBuf;

/**
 * Brings frames and time to a data path, as a worker or an embedding host does. The clock is simulated. Owned by one
 * thread; allocates nothing.
 */
final class Driver {
  final DataPath path;
  long nowNs = DsrNetwork.START_NS;

  private final FrameBatch batch = new FrameBatch();
  private final FrameView view = new FrameView();
  private final FrameOutput output = (link, frame, marks) -> frame.release();

  Driver(DataPath path) {
    this.path = path;
  }

  /** Batches of 32; answers how many frames were forwarded. */
  int batches(ByteBuf[] frames) {
    int forwarded = 0;
    for (int i = 0; i < frames.length; i += FrameBatch.CAPACITY) {
      batch.clear();
      for (int j = i; j < i + FrameBatch.CAPACITY; j++) {
        batch.add(frames[j], 0, frames[j].readableBytes(), FrameMarks.NONE, 0);
      }
      forwarded += processBatch();
    }
    return forwarded;
  }

  /** Batches of 32 from an interface for each frame. */
  int batches(ByteBuf[] frames, byte[] links) {
    int forwarded = 0;
    for (int i = 0; i < frames.length; i += FrameBatch.CAPACITY) {
      batch.clear();
      for (int j = i; j < i + FrameBatch.CAPACITY; j++) {
        batch.add(frames[j], 0, frames[j].readableBytes(), FrameMarks.NONE, links[j]);
      }
      forwarded += processBatch();
    }
    return forwarded;
  }

  private int processBatch() {
    int forwarded = 0;
    nowNs += DsrNetwork.FRAME_NS * FrameBatch.CAPACITY;
    path.process(batch, nowNs, output);
    for (int j = 0; j < FrameBatch.CAPACITY; j++) {
      forwarded += batch.get(j).verdict() == Verdict.FORWARD ? 1 : 0;
    }
    return forwarded;
  }

  /** One frame after another. */
  int singleFrames(ByteBuf[] frames) {
    int forwarded = 0;
    for (ByteBuf frame : frames) {
      forwarded += single(0, frame) == Verdict.FORWARD ? 1 : 0;
    }
    return forwarded;
  }

  /** One frame after another from an interface for each. */
  int singleFrames(ByteBuf[] frames, byte[] links) {
    int forwarded = 0;
    for (int i = 0; i < frames.length; i++) {
      forwarded += single(links[i], frames[i]) == Verdict.FORWARD ? 1 : 0;
    }
    return forwarded;
  }

  Verdict single(int link, ByteBuf frame) {
    nowNs += DsrNetwork.FRAME_NS;
    return path.process(link, frame, nowNs, output);
  }

  /** Works on a frame of which nothing but {@link Verdict#FORWARD} is expected. */
  void forward(int link, ByteBuf frame) {
    Verdict verdict = single(link, frame);
    if (verdict != Verdict.FORWARD) {
      throw new IllegalStateException("not forwarded but " + verdict);
    }
  }

  /** The hash of a frame that is parsed, as a table wants it. */
  static int hash(FlowTable flows, FrameView view) {
    return view.isV6()
        ? flows.hash6(
            view.sourceHigh(),
            view.sourceLow(),
            view.destinationHigh(),
            view.destinationLow(),
            view.ports(),
            view.protocol())
        : flows.hash4(view.sourceLow(), view.destinationLow(), view.ports(), view.protocol());
  }

  /** Ends the flow or session of a client's frame, so that its next one begins another. */
  void end(int link, ByteBuf frame) {
    view.wrap(frame, 0, frame.readableBytes(), FrameMarks.NONE, link);
    FrameParser.parse(view);
    boolean v6 = view.isV6();
    int hash = hash(path.flows(), view);
    int handle =
        v6
            ? path.flows().find6(
                hash,
                view.sourceHigh(),
                view.sourceLow(),
                view.destinationHigh(),
                view.destinationLow(),
                view.ports(),
                view.protocol())
            : path.flows().find4(hash, view.sourceLow(), view.destinationLow(), view.ports(), view.protocol());
    if (handle >= 0) {
      path.flows().remove(handle);
      return;
    }
    view.setHash(hash);
    int session = path.translator() == null ? -1 : path.translator().find(view);
    if (session < 0) {
      throw new IllegalStateException("there is no such flow");
    }
    path.translator().end(session);
  }
}

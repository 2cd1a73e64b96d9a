package io.lb4j.examples.replay;

import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.netty.buffer.ByteBuf;
import java.util.List;

/** The loop of a replay: time passes, a frame is processed, what leaves is written and traced. Owned by one thread. */
final class ReplayRun {
  /** Timers that a gap between frames may run one by one; beyond them the clock jumps. */
  private static final int MAX_TICKS = 10_000;

  private final DataPath path;
  private final ReplayClock clock;
  private final List<String> names;
  private final OutputFiles outputs;
  private final TraceFile trace;
  private long deadlineNs;
  private boolean started;
  private int emittedOn = -1;
  private long emittedNumber;

  ReplayRun(DataPath path, ReplayClock clock, List<String> names, OutputFiles outputs, TraceFile trace) {
    this.path = path;
    this.clock = clock;
    this.names = names;
    this.outputs = outputs;
    this.trace = trace;
    path.onHeldFrameEnd(this::onHeldFrameEnd);
  }

  /** Processes everything, then ends what is held. */
  void process(CaptureMerge merge) {
    long number = 0;
    for (CaptureMerge.Input input = merge.next(); input != null; input = merge.next()) {
      passTime(input.packet().timestampNs());
      process(++number, input);
    }
    path.close();
  }

  private void passTime(long timestampNs) {
    if (!started) {
      started = true;
      deadlineNs = path.tick(clock.advance(timestampNs), this::transmit);
      return;
    }
    long target = Math.max(clock.getAsLong(), timestampNs);
    for (int ticks = 0; deadlineNs - target <= 0; ticks++) {
      boolean single = ticks < MAX_TICKS && deadlineNs - clock.getAsLong() > 0;
      long next = clock.advance(single ? deadlineNs : target);
      deadlineNs = path.tick(next, this::transmit);
      if (next == target) {
        break;
      }
    }
    clock.advance(target);
  }

  private void process(long number, CaptureMerge.Input input) {
    int ingress = input.interfaceIndex();
    ByteBuf frame = input.packet().buffer();
    long nowNs = clock.getAsLong();
    trace.begin(number, names.get(ingress), input.number());
    emittedOn = -1;
    Verdict verdict = path.process(ingress, frame, input.packet().marks(), number, nowNs, this::transmit);
    if (verdict == Verdict.HOLD) {
      return;
    }
    FrameView view = path.last();
    boolean leaves = (verdict == Verdict.FORWARD || verdict == Verdict.ANSWER) && view.egress() >= 0;
    if (leaves) {
      emittedOn = view.egress();
      emittedNumber = outputs.write(emittedOn, nowNs, frame);
    }
    end(number, verdict, view.binding());
  }

  /** Frames that the data path sends on its own account. */
  private boolean transmit(int interfaceIndex, ByteBuf frame, long marks) {
    try {
      emittedOn = interfaceIndex;
      emittedNumber = outputs.write(interfaceIndex, clock.getAsLong(), frame);
    } finally {
      frame.release();
    }
    return true;
  }

  private void onHeldFrameEnd(long tag, Verdict verdict, int ingress, int egress, int binding, int length) {
    if (emittedOn != egress) {
      emittedOn = egress;
      emittedNumber = 0;
    }
    end(tag, verdict, binding);
  }

  private void end(long number, Verdict verdict, int binding) {
    boolean sent = (verdict == Verdict.FORWARD || verdict == Verdict.ANSWER) && emittedOn >= 0;
    String output = sent ? names.get(emittedOn) : null;
    trace.end(number, verdict.kind().name(), detail(verdict, binding), output, sent ? emittedNumber : 0);
  }

  private String detail(Verdict verdict, int binding) {
    if (verdict.isDrop()) {
      return verdict.name();
    }
    return verdict == Verdict.FORWARD ? path.serverName(binding).orElse(null) : null;
  }
}

package io.lb4j.health;

import io.lb4j.address.IpAddress;
import io.lb4j.monitor.Check;
import io.lb4j.monitor.FrameProber;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.monitor.ProbeTarget;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Begins probes: those of sockets and of the host on threads of their own, those of frames at the data path. Owned by
 * the control thread; what it begins runs elsewhere.
 */
final class Prober {
  /** Frames in flight at most; a probe that finds no room waits. Below what the data path would refuse. */
  static final int MOST_FRAMES = 3072;

  private final FrameProber frames;
  private final ProbeThreads threads;
  private final AtomicInteger framesInFlight = new AtomicInteger();

  Prober(FrameProber frames, ProbeThreads threads) {
    this.frames = frames;
    this.threads = threads;
  }

  /** Begins one; answers null when there is no room for it now. */
  @Nullable Attempt begin(MonitorRun run, Consumer<Attempt> ended) {
    Check check = run.monitor().check();
    boolean threaded = !(check instanceof Check.Ping || check instanceof Check.Direct);
    Attempt attempt = new Attempt(run, threaded, ended);
    return (threaded ? startThread(run, check, attempt) : sendFrames(run, check, attempt)) ? attempt : null;
  }

  private boolean startThread(MonitorRun run, Check check, Attempt attempt) {
    ProbeTarget target = run.target();
    return threads.run(() -> attempt.carryOut(() -> SocketProbes.run(check, target, attempt.socket())));
  }

  private boolean sendFrames(MonitorRun run, Check check, Attempt attempt) {
    List<IpAddress> vips = run.watch().vips();
    int count = check instanceof Check.Ping ? 1 : vips.size();
    if (framesInFlight.get() + count > MOST_FRAMES) {
      return false;
    }
    framesInFlight.addAndGet(count);
    Monitor monitor = run.monitor();
    ProbeTarget target = run.target();
    if (check instanceof Check.Ping) {
      Consumer<ProbeResult> one = counted(attempt);
      ask(() -> frames.ping(target.address(), monitor.timeout(), one), one);
      return true;
    }
    Consumer<ProbeResult> all = counted(new AllAnswers(count, attempt));
    boolean tcp = run.watch().isTcp();
    for (IpAddress vip : vips) {
      ask(() -> frames.direct(vip, target.port(), tcp, target.address(), monitor.timeout(), all), all);
    }
    return true;
  }

  /** A defect of the prober ends one probe, not the monitor. */
  private static void ask(Runnable question, Consumer<ProbeResult> done) {
    try {
      question.run();
    } catch (RuntimeException | Error e) {
      done.accept(ProbeResult.failed(ProbeReason.FAILED, e.toString()));
    }
  }

  private Consumer<ProbeResult> counted(Consumer<ProbeResult> done) {
    return result -> {
      framesInFlight.decrementAndGet();
      done.accept(result);
    };
  }

  /** Several probes as one: the first failure, else the slowest answer. Safe from any thread. */
  private static final class AllAnswers implements Consumer<ProbeResult> {
    private final Consumer<ProbeResult> done;
    private int missing;
    private @Nullable ProbeResult worst;

    AllAnswers(int missing, Consumer<ProbeResult> done) {
      this.missing = missing;
      this.done = done;
    }

    @Override
    public void accept(ProbeResult result) {
      ProbeResult all = add(result);
      if (all != null) {
        done.accept(all);
      }
    }

    private synchronized @Nullable ProbeResult add(ProbeResult result) {
      boolean worse = worst == null || worst.ok() && (!result.ok() || result.elapsedNs() > worst.elapsedNs());
      worst = worse ? result : worst;
      missing--;
      return missing == 0 ? worst : null;
    }
  }
}

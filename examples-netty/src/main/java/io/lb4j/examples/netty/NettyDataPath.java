package io.lb4j.examples.netty;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A data path whose interfaces are Netty channels: each channel's messages are Ethernet frames that came, and what is
 * written to it are frames that leave. Owned by one event loop, on which all of its channels have to be registered.
 *
 * <p>Frames are worked on in bursts: those of one read, 32 at most. Each message is owned once, so it is counted once:
 * a frame that leaves is passed on to the channel that it leaves by, one that is the host's to the next handler, and
 * any other is released here. A message has to be a frame of its own in writable memory, because it is rewritten in
 * place.
 */
public final class NettyDataPath {
  private final DataPath path;
  private final LongSupplier clock;
  private final @Nullable ChannelHandlerContext[] links;
  private final FrameBatch batch = new FrameBatch();
  private final ByteBuf[] frames = new ByteBuf[FrameBatch.CAPACITY];
  private final FrameOutput own = this::sendOwn;
  private @Nullable ScheduledFuture<?> tick;
  private long tickAtNs;

  /**
   * The data path of an embedded balancer.
   *
   * @param balancer not started; one worker
   * @param clock that it was built with
   */
  public NettyDataPath(LoadBalancer balancer, LongSupplier clock) {
    this.path = balancer.dataPath();
    this.clock = clock;
    this.links = new ChannelHandlerContext[balancer.topology().links().size()];
  }

  /**
   * What makes a channel an interface of the balancer.
   *
   * @param link the interface's index, in the order of declaration
   * @return to be added once, to one channel's pipeline
   */
  public ChannelHandler handler(int link) {
    if (link < 0 || link >= links.length) {
      throw new IndexOutOfBoundsException("interface " + link + " of " + links.length);
    }
    return new FrameHandler(this, link);
  }

  void attach(int link, ChannelHandlerContext context) {
    assert context.executor().inEventLoop();
    if (links[link] != null) {
      throw new IllegalStateException("interface " + link + " has a channel: " + links[link].channel());
    }
    links[link] = context;
    tick();
  }

  void detach(int link) {
    process();
    links[link] = null;
    for (ChannelHandlerContext context : links) {
      if (context != null) {
        return;
      }
    }
    cancelTick();
  }

  /** Takes over a frame. */
  void read(int link, ByteBuf frame) {
    frames[batch.size()] = frame;
    batch.add(frame, frame.readerIndex(), frame.readableBytes(), FrameMarks.NONE, link);
    if (batch.room() == 0) {
      process();
    }
  }

  /** What one read brought is complete. */
  void readComplete() {
    process();
    tick();
  }

  private void process() {
    int done = 0;
    try {
      if (batch.size() > 0) {
        path.process(batch, clock.getAsLong(), own);
      }
      while (done < batch.size()) {
        FrameView view = batch.get(done);
        end(view, frames[done++]);
      }
    } finally { // a defect of ours costs the burst, not its memory
      while (done < batch.size()) {
        frames[done++].release();
      }
      batch.clear();
    }
  }

  private void end(FrameView view, ByteBuf frame) {
    ChannelHandlerContext from = links[view.ingress()];
    Verdict verdict = view.verdict();
    if ((verdict == Verdict.FORWARD || verdict == Verdict.ANSWER) && view.egress() >= 0) {
      frame.setIndex(view.start(), view.start() + view.length());
      if (send(view.egress(), frame)) {
        path.counters().onTransmitted(view.egress(), view.length());
      } else {
        path.counters().onRefused(view.egress());
      }
    } else if (verdict == Verdict.PASS && from != null) {
      from.fireChannelRead(frame);
    } else {
      frame.release(); // dropped, or a copy is kept until its next hop is known
    }
  }

  /** Takes over a frame of the data path's own, which counts it. */
  private boolean sendOwn(int link, ByteBuf frame, long marks) {
    return send(link, frame);
  }

  /** Takes over a frame. A channel that does not keep up gets none, so that memory stays bounded. */
  private boolean send(int link, ByteBuf frame) {
    ChannelHandlerContext to = links[link];
    if (to == null || !to.channel().isActive() || !to.channel().isWritable()) {
      frame.release();
      return false;
    }
    to.write(frame, to.voidPromise());
    return true;
  }

  /** Does what time asks for, sends all that was written, and comes back when the data path wants to be asked again. */
  private void tick() {
    long nowNs = clock.getAsLong();
    long deadlineNs = path.tick(nowNs, own);
    ChannelHandlerContext any = null;
    for (ChannelHandlerContext context : links) {
      if (context != null) {
        context.flush();
        any = context;
      }
    }
    if (any != null && (tick == null || deadlineNs - tickAtNs < 0)) {
      cancelTick();
      tickAtNs = deadlineNs;
      tick = any.executor().schedule(this::onTime, Math.max(0, deadlineNs - nowNs), TimeUnit.NANOSECONDS);
    }
  }

  private void onTime() {
    tick = null;
    tick();
  }

  private void cancelTick() {
    if (tick != null) {
      tick.cancel(false);
      tick = null;
    }
  }
}
